/** Guesses the word that was meant by one with a slip of the pen in it. */

const EDITS_MAX = 3;
/** Nearly every short word is a few edits from every other. */
const LETTERS_MIN = 4;

/** The words that are nearest to `word`, as long as most of their letters are its letters. */
export function closest(word: string, words: readonly string[]): readonly string[] {
  const wanted = word.toLowerCase();
  const near = words
    .filter(({ length }) => length >= LETTERS_MIN)
    .map((name) => ({ name, edits: editsBetween(wanted, name) }))
    .filter(({ name, edits }) => edits <= Math.min(EDITS_MAX, name.length / 3));
  const fewest = Math.min(...near.map(({ edits }) => edits));
  return near.filter(({ edits }) => edits === fewest).map(({ name }) => name);
}

/** How many letters are to be put in, left out or replaced: Levenshtein's distance. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1];
    for (const [column, other] of Array.from(to).entries())
      next.push(
        Math.min(
          (row[column + 1] ?? 0) + 1,
          (next[column] ?? 0) + 1,
          (row[column] ?? 0) + (letter === other ? 0 : 1),
        ),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
