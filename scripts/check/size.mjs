/** Files that fit a head, lines that fit a screen. The aim is 60 to 150 lines a file; past 300 it is two rooms. */
const linesMax = 400;
/** A Redis script is one text that runs at once; it can't be split into rooms. */
const scriptLinesMax = 450;
const columnsMax = 140;

/** @type {import('./source.mjs').Check} */
export function checkSize(path, text) {
  if (path.endsWith('.json')) return [];
  const lines = text.replace(/\n$/, '').split('\n');
  const wide = lines.flatMap((line, index) => {
    const columns = [...line].length;
    return columns <= columnsMax
      ? []
      : [{ line: index + 1, message: `${columns} characters, at most ${columnsMax}` }];
  });
  const most = path.endsWith('.lua') ? scriptLinesMax : linesMax;
  if (lines.length <= most) return wide;
  return [...wide, { line: most + 1, message: `${lines.length} lines, at most ${most}: split it` }];
}
