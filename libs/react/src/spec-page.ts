import { afterAll, jest } from '@jest/globals';
import type { Snapshot } from '@offload/client';
import { JSDOM } from 'jsdom';
import type { FunctionComponent } from 'react';

const { window } = new JSDOM('<main></main>');
const { document, navigator } = window;
const globals = { window, document, navigator, IS_REACT_ACT_ENVIRONMENT: true };
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true }); // newer Node.js has a navigator already
}
afterAll(() => Object.keys(globals).forEach((name) => Reflect.deleteProperty(globalThis, name)));

// React checks for a page when it is loaded.
const { act, createElement } = await import('react');
const { createRoot } = await import('react-dom/client');
export { act };

/** An EventSource without a network: the spec plays the server. */
export class Stream extends EventTarget {
  static readonly CLOSED = 2;
  static opened: Stream[] = [];
  readyState = 1;
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    Stream.opened.push(this);
  }

  close = jest.fn(() => void (this.readyState = Stream.CLOSED));

  send(job: Partial<Snapshot>, name = `job.${job.status}`): Promise<void> {
    return act(async () => void this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(job) })));
  }

  refuse(): Promise<void> {
    this.readyState = Stream.CLOSED;
    return act(async () => void this.dispatchEvent(new Event('error')));
  }
}

/** Renders a component on an empty page. `again` renders it with other properties. */
export async function show<Properties extends object>(
  component: FunctionComponent<Properties>,
  properties: NoInfer<Properties>,
) {
  Object.assign(globalThis, { EventSource: Stream });
  Stream.opened = [];
  const main = window.document.querySelector('main') as Element;
  const root = createRoot(main);
  const render = (given: Properties): Promise<void> => act(async () => root.render(createElement(component, given)));
  await render(properties);
  return { text: () => main.textContent, render, leave: () => act(async () => root.unmount()) };
}
