/** What some work results in; undefined if it throws, where why it did makes no difference. */
export const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};
