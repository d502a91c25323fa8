// Checks a log that was written in the tlog-tiles layout, with the packages
// by which Go checks its own module database: a verifier that shares no line
// with ours.
//
//	sumdb [-old checkpoint -consistency hashes] [-receipt file] folder vkey
//
// It prints one line: "ok <size> <root>", or "bad: <step>: <why>" with exit
// status 1. The steps: checkpoint, entries, root, tiles, consistency, receipt.
package main

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxLeaf    = 65535
)

func main() {
	old := flag.String("old", "", "an older checkpoint of the same log")
	consistency := flag.String("consistency", "", "the proof that the log extends it: a hash per line")
	receipt := flag.String("receipt", "", "a receipt that encloses its leaf")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: sumdb [-old file -consistency file] [-receipt file] folder vkey")
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(flag.Arg(1))
	must("vkey", err)
	folder := flag.Arg(0)

	tree, err := open(read(filepath.Join(folder, "checkpoint")), verifier)
	must("checkpoint", err)
	hashes, err := entries(folder, tree.N)
	must("entries", err)
	root, err := rootOf(tree.N, hashes)
	must("root", err)
	if root != tree.Hash {
		must("root", errors.New("not that of the entries"))
	}
	must("tiles", checkTiles(folder, tree, hashes))
	if *old != "" {
		must("consistency", checkConsistency(tree, read(*old), read(*consistency), verifier))
	}
	if *receipt != "" {
		must("receipt", checkReceipt(read(*receipt), verifier))
	}
	fmt.Println("ok", tree.N, tree.Hash)
}

func must(step string, err error) {
	if err != nil {
		fmt.Printf("bad: %s: %v\n", step, err)
		os.Exit(1)
	}
}

func read(file string) []byte {
	data, err := os.ReadFile(file)
	must("file", err)
	return data
}

// open verifies the note of a checkpoint. Its text is what Go writes into the
// notes of its own database, but for the first line.
func open(msg []byte, verifier note.Verifier) (tlog.Tree, error) {
	n, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.SplitN(n.Text, "\n", 2)
	if lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("of another log")
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + lines[1]))
}

// stored answers from hashes in memory.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d of %d", index, len(s))
		}
		found[i] = s[index]
	}
	return found, nil
}

// entries hashes every leaf of every bundle.
func entries(folder string, size int64) (stored, error) {
	var hashes stored
	for first := int64(0); first < size; first += tileWidth {
		width := tileWidth
		if size-first < tileWidth {
			width = int(size - first)
		}
		bundle := tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: width}
		data, err := os.ReadFile(filepath.Join(folder, path(bundle)))
		if err != nil {
			return nil, err
		}
		for i := 0; i < width; i++ {
			if len(data) < 2 {
				return nil, errors.New("too few leaves")
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			if len(data) < end {
				return nil, errors.New("cut short")
			}
			more, err := tlog.StoredHashes(first+int64(i), data[2:end], hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, more...)
			data = data[end:]
		}
		if len(data) > 0 {
			return nil, errors.New("too many leaves")
		}
	}
	return hashes, nil
}

// rootOf is TreeHash, but for the empty tree, whose root is that of RFC 6962
// section 2.1 here, and zero in the module database.
func rootOf(size int64, hashes stored) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, hashes)
}

// path is where a tile lies: without the height, which is always 8, and with
// the leaves under another name.
func path(tile tlog.Tile) string {
	prefix := fmt.Sprintf("tile/%d/", tileHeight)
	return "tile/" + strings.Replace(strings.TrimPrefix(tile.Path(), prefix), "data/", "entries/", 1)
}

// checkTiles compares every tile with what the leaves say. NewTiles names each
// width that the last tile of a level had as it grew; only the last counts.
func checkTiles(folder string, tree tlog.Tree, hashes stored) error {
	widest := make(map[[2]int64]tlog.Tile)
	for _, tile := range tlog.NewTiles(tileHeight, 0, tree.N) {
		widest[[2]int64{int64(tile.L), tile.N}] = tile
	}
	for _, tile := range widest {
		expected, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(filepath.Join(folder, path(tile)))
		if err != nil {
			return err
		}
		if !bytes.Equal(data, expected) {
			return fmt.Errorf("%s is not that of the entries", path(tile))
		}
	}
	return nil
}

func checkConsistency(tree tlog.Tree, old, proof []byte, verifier note.Verifier) error {
	before, err := open(old, verifier)
	if err != nil {
		return err
	}
	hashes, err := hashesIn(strings.Split(strings.TrimSuffix(string(proof), "\n"), "\n"))
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, tree.N, tree.Hash, before.N, before.Hash)
}

func checkReceipt(receipt []byte, verifier note.Verifier) error {
	parts := strings.SplitN(string(receipt), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return errors.New("not a receipt that encloses its leaf")
	}
	leaf, err := inflated(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	decimal := strings.TrimPrefix(lines[2], "index ")
	index, err := strconv.ParseInt(decimal, 10, 64)
	if err != nil || strconv.FormatInt(index, 10) != decimal {
		return errors.New("not an index")
	}
	proof, err := hashesIn(lines[3:])
	if err != nil {
		return err
	}
	tree, err := open([]byte(parts[1]), verifier)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf))
}

func inflated(extra string) ([]byte, error) {
	data, err := strict(extra)
	if err != nil {
		return nil, err
	}
	stream, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	leaf, err := io.ReadAll(io.LimitReader(stream, maxLeaf+1))
	if err == nil && len(leaf) > maxLeaf {
		err = errors.New("too large for a leaf")
	}
	return leaf, err
}

func hashesIn(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		if line == "" && len(lines) == 1 {
			break
		}
		data, err := strict(line)
		if err != nil {
			return nil, err
		}
		if len(data) != tlog.HashSize {
			return nil, errors.New("not a hash")
		}
		var hash tlog.Hash
		copy(hash[:], data)
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// strict reads base64 that is written in the one right way.
func strict(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err == nil && base64.StdEncoding.EncodeToString(data) != text {
		err = errors.New("not canonical base64")
	}
	return data, err
}
