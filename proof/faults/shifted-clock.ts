// Loaded into a process before anything else: its wall clock is CLOCK_SHIFT_MS off. What measures time by other means
// (timers, `performance.now`) is not concerned, as when the clock of a machine is wrong.
const shiftMs = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const now = (): number => RealDate.now() + shiftMs;

const RealDate = Date;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, values, as) => Reflect.construct(target, values.length === 0 ? [now()] : values, as) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
});
