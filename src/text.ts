/* Text that comes from outside: names, reasons, headers. It is data, never layout. */

/** ASCII A-Z lowered and nothing else, as signatures have it (protocol.md §4). */
export const lowered = (text: string | undefined): string =>
  (text ?? '').trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const DRAWING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Lines that do not draw on a terminal, whatever they were made of. */
export const still = (lines: string): string => lines.replace(DRAWING, '');

/** Without control characters, line and direction marks or lone surrogates; at most `max` characters; undefined if nothing is left. */
export const plain = (text: string | undefined, max: number): string | undefined => {
  if (text === undefined) return undefined;
  const clean = text
    .slice(0, max * 4)
    .toWellFormed()
    .replace(CONTROL, ' ')
    .trim();
  const cut = clean.length <= max ? clean : clean.slice(0, max).replace(/[\ud800-\udbff]$/, '');
  return cut === '' ? undefined : cut;
};
