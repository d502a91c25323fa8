/*
 * Every bound of the gateway, with its reason. Bytes and milliseconds.
 * What an unauthenticated peer can cost is the product of bounds on this page.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const limits = {
  wire: {
    /** A connect frame is under 4 KiB; this is what a later client may need (protocol.md §1.1). */
    preauthFrameBytes: 64 * KiB,
    /** Announced to clients. The transport buffers a whole message, per socket, before we see it. */
    maxPayloadBytes: 1 * MiB,
    /** Where the configuration may raise it to: what the original announces. */
    maxPayloadCeiling: 25 * MiB,
    /** Output that may wait for one slow client. */
    maxBufferedBytes: 50 * MiB,
    /** What may wait for all of them in one process: beyond, those that are furthest behind are let go. */
    bufferedInAllBytes: 512 * MiB,
    bufferedSweepMs: 2 * SECOND,
    /** When to try again what was refused only for now. */
    retryAfterMs: 1 * SECOND,
    handshakeMs: 15 * SECOND,
    tickMs: 30 * SECOND,
    healthMs: 60 * SECOND,
    /** Whoever asks for a new look gets one at most this often: everybody is told of it. */
    probeMs: 1 * SECOND,
    /** Seconds of silence after which the transport has pinged in vain and lets go (its own granularity is 4). */
    idleSeconds: 52,
    /** A close reason, in bytes of UTF-8: a control frame holds no more (RFC 6455 §5.5). */
    closeReasonBytes: 120,
    requestIdChars: 512,
    /** The 11th `unauthorized role` in a row ends the connection. */
    roleRefusalsInARow: 10,
    /** How long a refused browser may take to close with its own code, which says what it made of the refusal. */
    browserCloseMs: 1 * SECOND,
  },
  preauth: {
    /**
     * What all strangers together can make us buffer: the transport takes a whole message, up to the announced payload, before we see it. So many
     * `sockets` may be open that have not been let in, as long as they do not buffer it: beyond how many could at most, the memory of
     * the process is watched. By source: an address, of IPv6 its /64. Upgrades beyond wait, at some 2 KiB each, and take
     * longer for it; and beyond that many the answer is HTTP 503.
     */
    network: { bytes: 512 * MiB, sockets: 4096, perSource: 32, queued: 4096, queuedPerSource: 1024 },
    /** The same for this host, whose programs all have one address and come back all at once after a restart. */
    loopback: { bytes: 1024 * MiB, sockets: 20_000, perSource: 20_000, queued: 20_000, queuedPerSource: 20_000 },
    /** Who has said nothing for so long gives way to others that have less. An honest client speaks as soon as it is spoken to. */
    silentMs: 1 * SECOND,
    /** How long after sockets were cut off the memory of the process is not taken for what it is without them. */
    lingerMs: 20 * SECOND,
    /** Sockets that change hands so in one turn of the loop. */
    swaps: 100,
  },
  turns: {
    /** What handshakes may take of one turn of the loop, and at most where the rest of it takes long, too: a crowd that knocks at once is looked at a slice a turn. */
    workMs: 10,
    longestMs: 60,
  },
  sockets: {
    /** Sockets that one event closes in one turn of the loop (some 5 ms). */
    closedAtOnce: 500,
  },
  workers: {
    /** Processes that take connections; more than a machine has cores gain nothing but descriptors. */
    most: 64,
    /** Refusals in a window that one of them hands on one by one; beyond, only those that `refusals` has room for. The rest is counted where it was. */
    refusals: 2000,
    /** How old what a worker shows of the gateway may be, but for its own newcomers. */
    showMs: 250,
    /** One that leaves so many pings unanswered hangs, and is replaced. On a machine that is overloaded pings are rarer, too. */
    pingMs: 1 * SECOND,
    unanswered: 20,
    /** Before another takes the place of one that ended; doubling while they go on ending. */
    pauseMs: 100,
    longestPauseMs: 30 * SECOND,
    /**
     * What may wait in the channel between one of them and the writer; somebody who takes what there is, takes this in a fraction of a second.
     * Beyond, the writer gives the worker up, and a worker refuses what it would hand on.
     */
    channelBytes: 32 * MiB,
    /** How long they may take to end their connections when the gateway stops. */
    stopMs: 5 * SECOND,
    /** How long one stays after it has said goodbye: most clients have answered by then. */
    leaveMs: 200,
  },
  signals: {
    /** Signals to stop that come so soon after the first are the same one; nobody is impatient yet. */
    sameMs: 500,
  },
  ceilings: {
    /** Descriptors of a process that are not connections: the log, sockets it listens on, questions, exports. */
    reservedFiles: 128,
    /** Fewer connections than this are not what somebody who runs a gateway expects. */
    connections: 4096,
    /** Address space beside the map of the log: V8 reserves more than it uses. */
    mappedBytes: 8 * 1024 * MiB,
    /** What a process needs with a crowd that is idle, and some room for what is on its way. */
    processBytes: 256 * MiB,
  },
  claims: {
    /** What clients say of themselves is kept in events; an event is at most 64 KiB. */
    scopes: 64,
    caps: 128,
    commands: 256,
    permissions: 256,
    textChars: 512,
    displayNameChars: 128,
    labelChars: 64,
    reasonChars: 120,
    pathEnvChars: 8 * KiB,
  },
  pairing: {
    pendingMs: 5 * MINUTE,
    /** Who holds the secret may ask; a full list refuses the new and never evicts the old. */
    pending: 4096,
    /** The same ask again is an event at most this often. */
    refreshMs: 1 * MINUTE,
    /** How long a replaced token still works if its successor has not been used. */
    tokenGraceMs: 10 * MINUTE,
    /** How often expired requests and ended graces are swept into events. */
    sweepMs: 5 * SECOND,
  },
  signature: {
    /** Signatures a second that are checked for whoever shows no credential of ours: of one source, and of all (some 5 % of a core). */
    perSource: 20,
    total: 1000,
    /** How far the time a device signed may lie from ours. */
    skewMs: 2 * MINUTE,
    /** Device keys kept as bytes with their ids, about 500 bytes each. */
    keysCached: 16_384,
  },
  nodes: {
    /** Under way at once, of all nodes; each waits with a timer. */
    invocations: 1024,
    /** How long a node may take, unless whoever asks says otherwise, and at most. */
    invokeMs: 30 * SECOND,
    longestInvokeMs: 60 * MINUTE,
    /** Outcomes that whoever asks again under the same key is told. */
    remembered: 4096,
    rememberedBytes: 16 * MiB,
    rememberedMs: 10 * MINUTE,
    /** Of a node's words for why it could not. */
    messageChars: 4096,
    /** What a node reports in a minute as events of its own; beyond, it is counted. */
    reports: 60,
    reportsMs: 1 * MINUTE,
  },
  canvas: {
    /** How long whoever knows a capability may look, from when it was last recorded that it is used. */
    capabilityMs: 10 * MINUTE,
    /** Links for people that are good at once; and how long one is, whatever it is used. */
    links: 256,
    linkMs: 24 * 60 * MINUTE,
    /** Files that are looked for or read at once: a folder that hangs holds no more of us than that. */
    atOnce: 16,
    /** Pages that wait for changes, of one capability and in all, in one process. */
    pagesOfOne: 16,
    pages: 1024,
    /** Files on their way, by one capability and in all, in one process; each holds 256 KiB, and has a minute and a second for each 64 KiB. */
    filesOfOne: 16,
    files: 64,
    sendMs: 1 * MINUTE,
    sendBytesAMs: 64,
    pathChars: 1024,
    /** Folders within folders in which changes are seen. */
    depth: 16,
    /** An HTML page up to this is told of changes; a larger one is sent as it is. */
    pageBytes: 2 * MiB,
    /** Changes that come so close together are one. */
    settleMs: 75,
  },
  exec: {
    /** Questions that wait; and how long one may, unless whoever asks says otherwise, and at most. */
    pending: 256,
    waitMs: 2 * MINUTE,
    longestMs: 30 * MINUTE,
    /** How soon after a yes it has to be used, and how long an answer can be had again (protocol.md §8.9). */
    grantMs: 15 * SECOND,
    /** Of a command, a path or a name in it; and the words of a command. */
    textChars: 32 * KiB,
    words: 4096,
  },
  limiter: {
    failures: 10,
    windowMs: 1 * MINUTE,
    lockMs: 5 * MINUTE,
    /** A process on this host is not locked out but made to wait, doubling. */
    loopbackDelayMs: 250,
    loopbackDelayCeilingMs: 5 * SECOND,
    sources: 10_000,
    /** Lock-outs in force that are on the record; beyond, who has that many addresses is locked out in memory only. */
    recorded: 1000,
  },
  refusals: {
    /**
     * Events per source and minute, and in all, before they are only counted. A device or credential we know has as many. With what is told
     * apart a flood makes the log grow by some 130 KiB a minute.
     */
    perSource: 20,
    total: 120,
    windowMs: 1 * MINUTE,
    /** First refusals of a (source, reason) that are told apart, per window. */
    firsts: 120,
    sources: 10_000,
    /** Lines in the text log per window; the rest is counted in one line. */
    logLines: 600,
    /** Names in a summary of each kind; of those we know or once knew, more. */
    named: 16,
    knownNamed: 256,
  },
  presence: {
    ttlMs: 5 * MINUTE,
    entries: 200,
    /** Changes within this time travel in one broadcast. */
    coalesceMs: 250,
    /** How old the list in a hello may be if nothing has changed. */
    listMs: 1 * SECOND,
  },
  health: {
    /** How often components are looked at, and health is an event, unless the configuration says otherwise (guide: the health monitor's interval). */
    intervalMs: 5 * MINUTE,
    /** After a start there is much to do: the first look comes later. */
    graceMs: 1 * MINUTE,
    /** How long a look may take: what hangs is not well. */
    checkMs: 5 * SECOND,
    evidenceChars: 256,
    /** What is not well and can be begun again is: so often in an hour, and after each time later. */
    mendsAnHour: 5,
    mendAfterMs: 30 * SECOND,
    /** How long a node may be away before that is noted. */
    nodeGraceMs: 2 * MINUTE,
    /** Free on the disk of the log. */
    diskBytes: { degraded: 512 * MiB, failed: 32 * MiB },
    /** Of the descriptors that the process may have. */
    descriptorShare: 0.9,
    /** p99 of how late the loop is: a handshake is to take less than this in all. */
    loopMs: 250,
  },
  ledger: {
    /** One leaf of a tlog-tiles bundle (C2SP tlog-tiles): its length is 16 bits. */
    eventBytes: 65_535,
    /** Commands that may share one flush. More only lengthens the pause of the loop (some 10 ms, with the connections that come in for those let in). */
    batch: 64,
    /** Commands that may wait for the writer; beyond, callers are told to retry. */
    queue: 100_000,
    /** Events that the start audit reads back from the tail. */
    auditTail: 256,
    /** A wall clock that is off by more than this against the monotonic one has been set. */
    clockJumpMs: 2 * SECOND,
    /** Rows of each view kept in memory, about 1 KiB each: those of the devices that come and go. A connect among 10,000 of them reads nothing. */
    rowsRemembered: 16_384,
    /** Rows that changed and are not in the database of their view yet: what a reader lays over it, and one commit in so many writes (some 10 ms). */
    recentRows: 1000,
    /** People kept parsed, for the lists that show them: a list of 10,000 devices costs no reading. */
    originsRemembered: 16_384,
    /** Events whose index terms are folded in one transaction. What is left over is indexed when fewer than `quietEvents` have come in `indexMs`. */
    indexBatch: 10_000,
    /** Lists of it that one commit writes (some 5 ms). */
    indexSlice: 2000,
    /** Events of a backlog that are read from the log again at once (some 5 ms). */
    indexRead: 200,
    indexMs: 1 * SECOND,
    quietEvents: 500,
    /** Events remembered for the index; a backlog beyond is read from the log again. */
    indexRemembered: 50_000,
    /** Events between two moments at which the views are kept: what `--at` may have to replay. */
    historyEvents: 2000,
    /** How long after an event a checkpoint is signed that has it. */
    checkpointMs: 1 * SECOND,
    /** How long the high-water mark may take: its place may be a share that hangs. */
    markMs: 12 * SECOND,
    /** How long the last checkpoint may take when the gateway stops. */
    lastCheckpointMs: 5 * SECOND,
    /** How long a fact that nobody waits for may wait for others to share a flush with. */
    lingerMs: 20,
    /** Events read under one snapshot of a long scan: a reader that lingers keeps old pages from being reused. */
    readChunk: 1000,
  },
  proof: {
    /** What the Go implementation of notes allows, too: a hundred post-quantum signatures. */
    noteBytes: 1_000_000,
    signatures: 100,
    /** A checkpoint, the largest event in base64, and the hashes of a proof. */
    receiptBytes: 1_200_000,
    /** Logs of a policy; witnesses and groups of it. The specification asks for 32 of each. */
    policyEntries: 128,
    policyBytes: 256 * KiB,
    /** A file of a log at the other end of a URL: 256 of the largest events, with their lengths. */
    fileBytes: 17 * MiB,
    fetchMs: 30 * SECOND,
    /**
     * So many times 256 events in a row, of which there are neither events nor hashes, and nothing more is looked for: how many there are is
     * only said by whoever made the log.
     */
    missingBundles: 256,
    /** What a tar file may unpack to. */
    unpackedBytes: 64 * 1024 * MiB,
    /** Files and folders in it: a log of 100 million events has fewer than 2 million. */
    unpackedEntries: 2_000_000,
  },
  witnesses: {
    /** A quorum of more is none of a gateway's; a policy has room for as many. */
    most: 16,
    /** How soon after a checkpoint they are asked: the sooner, the less likely that there is a newer one when they answer. */
    lookMs: 100,
    timeoutMs: 10 * SECOND,
    /** How long whoever asks for a checkpoint or a receipt may be kept waiting for cosignatures. */
    waitMs: 2 * SECOND,
    /** Some signature lines; also post-quantum ones have a few KB. */
    answerBytes: 64 * KiB,
    /** After a failure, doubling up to the longest. */
    pauseMs: 2 * SECOND,
    longestPauseMs: 5 * MINUTE,
  },
  tiles: {
    /**
     * Of each second, what the log for everybody may take of the loop (ms): in all, so that connections do not feel it, and for each source.
     * A segment of the archive takes up to 50 ms to unpack, and the first one is always done.
     */
    workMs: { total: 200, perSource: 100 },
    /** What a request costs beside the reading: its headers, and the write. */
    requestMs: 0.2,
    sources: 10_000,
    /** Bodies that were not taken yet: a bundle of the largest events has 16 MiB. */
    waitingBytes: 64 * MiB,
    /** How long whoever asked may take to take one. */
    sendMs: 2 * MINUTE,
  },
  archive: {
    /** How old ticks and connections must be before they are moved, unless the configuration says otherwise. */
    afterDays: 90,
    /** Where the configuration may set it to. */
    afterDaysCeiling: 3650,
    /** Events of one segment: they are deleted in the commit that says they were moved, and the loop waits for that (some 10 ms). */
    segmentEvents: 5000,
    /** Their bytes: what reading one event of a segment has to unpack. */
    segmentBytes: 8 * MiB,
    /** Events that are read on the way to a segment before others get their turn of the loop (under 10 ms). */
    readChunk: 100,
    /** Segments that a reader keeps unpacked: a search goes back and forth between neighbours. */
    opened: 4,
    /** After a start others have the disk first. */
    firstRunMs: 5 * MINUTE,
    everyMs: 24 * 60 * MINUTE,
    /** Files that cannot be read which are named one by one at a start. */
    named: 10,
  },
  erasure: {
    /** Events of one erasure: their numbers are in one event of at most 64 KiB, and the loop waits for the commit (10 to 25 ms). */
    events: 1000,
    /** Lists of the index that it writes anew: of scattered events each may be in a list of its own. */
    lists: 100,
    /** The bytes of these lists, about one for each event in them: an address behind which many are has thousands in one list. */
    listBytes: 32 * KiB,
  },
  forensics: {
    /** Of the life of one device, so many of the latest events are looked at. */
    eventsOfDevice: 50_000,
    /** Acts of one device or credential that an answer spells out; beyond they are counted. */
    acts: 500,
    /** Events that one answer of `audit log` may have; more come page by page. */
    page: 1000,
    /** Processes that answer questions, and questions that may wait for one. */
    readers: 2,
    waiting: 16,
    /** Heap of one reader: a question that needs more ends with its process. */
    readerMemoryMiB: 1024,
    /** How long one question may take, and how long a reader without one stays. */
    questionMs: 2 * MINUTE,
    idleMs: 20 * SECOND,
    /** Rounds of containment: whoever is being shut out may still be at work. */
    rounds: 8,
    /** How long closed sessions may take to be gone. */
    closingMs: 10 * SECOND,
  },
  log: {
    lineChars: 2048,
    untrustedChars: 200,
    fileBytes: 64 * MiB,
    filesKept: 14,
    tailLines: 5000,
    tailBytes: 1_000_000,
  },
} as const;
