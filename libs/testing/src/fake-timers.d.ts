/** The part of the package that fake-clock.ts uses. */
declare module '@sinonjs/fake-timers' {
  interface Clock {
    tickAsync(ms: number): Promise<number>;
    uninstall(): void;
  }
  interface FakeTimers {
    install(options: { now?: number | Date; toFake?: readonly string[] }): Clock;
  }
  const fakeTimers: { withGlobal(global: typeof globalThis): FakeTimers };
  export default fakeTimers;
}
