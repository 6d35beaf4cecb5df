/**
 * Returns the source of a CommonJS module with the entries of `table` (numbers to names and names to numbers, none with a space
 * or a =). The entries are one text that is parsed when the first entry is read: mysql2's thousands of error names would
 * otherwise take 2 MB of memory.
 */
export function lazyTable(table) {
  const entries = Object.entries(table).map(([key, value]) => `${key}=${value}`);
  return `
    const text = ${JSON.stringify(entries.join(' '))};
    let whole;
    module.exports = new Proxy({}, {
      get: (_, key) => {
        whole ??= new Map(text.split(' ').map((entry) => entry.split('=')));
        const value = whole.get(String(key));
        return value === undefined || isNaN(value) ? value : Number(value);
      },
    });`;
}
