// docs/attack-cases.md lists every id once, with files that are there and tests whose titles name the id, or with a reason.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '../..');
const counts = {
  ...{
    E: 9,
    L: 5,
    A: 8,
    N: 6,
    M: 2,
    'H-': 4,
    J: 9,
    K: 16,
    LM: 9,
    S: 4,
    W: 4,
    LG: 4,
    P: 4,
    T: 5,
    Q: 9,
    G: 8,
    SM: 5,
    O: 5,
  },
  ...{ ST: 4, TM: 2, D: 3, HO: 4, HK: 5 },
};
const ids = Object.entries(counts).flatMap(([area, count]) =>
  Array.from({ length: count }, (_, n) => `${area}${n + 1}`),
);
const rows = readFileSync(path.join(root, 'docs/attack-cases.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, id, shownBy] = /^\| ([A-Z]+-?\d+) +\|[^|]+\| (.*?) *\|$/.exec(line) ?? [];
    return id === undefined || shownBy === undefined ? [] : [{ id, shownBy }];
  });

describe('docs/attack-cases.md', () => {
  it('lists every id, and every one once', () => {
    expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  it.each(rows)('says truly where $id is shown', ({ id, shownBy }) => {
    if (shownBy.startsWith('not here: ')) {
      expect(shownBy.length).toBeGreaterThan(40);
      return;
    }
    const files = [...shownBy.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, file]) => path.join(root, file ?? ''));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect({ file, exists: existsSync(file) }).toEqual({ file, exists: true });
    const titled = files.filter((file) => readFileSync(file, 'utf8').includes(`[${id}]`));
    expect(titled.length).toBeGreaterThan(0);
  });
});
