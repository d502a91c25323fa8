/* Words for people that every answer and report shares. Every statement ends with the number of its event. */

/** UTC, to the second. */
export const time = (at: number): string => `${new Date(at).toISOString().replace('T', ' ').slice(0, 19)}Z`;

export const event = (seq: number): string => `[event ${seq}]`;

export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export const list = (items: readonly string[], none = 'none'): string => (items.length === 0 ? none : items.join(', '));

const SHORT = 12;

/** As much of an id as tells it apart. */
export const short = (id: string): string => (id.length > SHORT + 1 ? `${id.slice(0, SHORT)}…` : id);

/** What stands where somebody would be named whose personal data were erased by this event. */
export const gone = (by: number): string => `(erased ${event(by)})`;
