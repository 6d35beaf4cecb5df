// In place of date-fns in the bundle (250 KB): pino-roll counts days and hours with it and writes dates into names. We rotate by size.
for (const name of ['addDays', 'addHours', 'format', 'isValid', 'parse']) {
  exports[name] = () => {
    throw new Error(`${name} of date-fns is not in the bundle: log files rotate by size`);
  };
}
