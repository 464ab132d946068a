// Loaded into a process before any other module: shifts its wall clock by CLOCK_SHIFT_MS, like a machine with a wrong
// clock. Timers and `performance.now` are not shifted.
const shiftMs = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const now = (): number => RealDate.now() + shiftMs;

const RealDate = Date;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, values, as) => Reflect.construct(target, values.length === 0 ? [now()] : values, as) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
});
