import { expect, it, jest } from '@jest/globals';
import type { Snapshot } from '@offload/client';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { act, show, Stream } from './spec-page.ts';
import { useJob, type UseJobOptions } from './use-job.ts';

interface Properties extends UseJobOptions {
  events: string | undefined;
}

function Shown({ events, ...options }: Properties): string {
  const { job, error } = useJob(events, options);
  return [job?.status, job?.progress?.percent, job?.payload, job?.result, error?.message].filter(Boolean).join(' ');
}

const job = (status: string, version: number, members: object = {}) => ({ status, version, ...members }) as Snapshot;

it('shows the progress of a job until it is finished', async () => {
  const page = await show(Shown, { events: '/events' });
  const [stream] = Stream.opened as [Stream];
  expect(stream.url).toBe('/events');
  await stream.send(job('running', 2, { payload: 'a.png' }));
  expect(page.text()).toBe('running a.png');
  await stream.send(job('running', 3, { progress: { percent: 50, message: null } }), 'job.progress');
  expect(page.text()).toBe('running 50 a.png');
  await stream.send(job('queued', 1));
  expect(page.text()).toBe('running 50 a.png');
  await stream.send(job('succeeded', 4, { result: 'done' }));
  expect(page.text()).toBe('succeeded done');
  expect(stream.close).toHaveBeenCalled();
  await page.leave();
});

it('shows the initial job when a server renders it, without a stream', async () => {
  Object.assign(globalThis, { EventSource: undefined });
  expect(renderToString(createElement(Shown, { events: '/events', initial: job('queued', 1) }))).toBe('queued');
});

it('opens no stream for a finished job, or without a job', async () => {
  const page = await show(Shown, { events: '/events', initial: job('failed', 3) });
  expect(page.text()).toBe('failed');
  await page.render({ events: undefined });
  expect(Stream.opened).toEqual([]);
  await page.leave();
});

it('replaces a job by another, and closes its stream when the component leaves the page', async () => {
  const page = await show(Shown, { events: '/one' });
  const [one] = Stream.opened as [Stream];
  await one.send(job('running', 2));
  await page.render({ events: '/two' });
  expect(page.text()).toBe('');
  expect(one.close).toHaveBeenCalled();
  await page.leave();
  expect(Stream.opened.map(({ url, readyState }) => [url, readyState])).toEqual([
    ['/one', Stream.CLOSED],
    ['/two', Stream.CLOSED],
  ]);
});

it('sets an error when its stream is refused', async () => {
  const page = await show(Shown, { events: '/events' });
  await Stream.opened[0]?.refuse();
  expect(page.text()).toBe('The stream of events was refused');
  await page.leave();
});

it('gets another URL when its token has expired, and tries again when that fails', async () => {
  jest.useFakeTimers();
  const renew = jest.fn(() => Promise.resolve('/new')).mockRejectedValueOnce(new Error('offline'));
  const page = await show(Shown, { events: '/old', initial: job('queued', 1), renew });
  await Stream.opened[0]?.refuse();
  await act(() => jest.advanceTimersByTimeAsync(1_000));
  expect(page.text()).toBe('queued offline');
  await act(() => jest.advanceTimersByTimeAsync(2_000));
  expect(Stream.opened.map(({ url }) => url)).toEqual(['/old', '/new']);
  await Stream.opened[1]?.send(job('succeeded', 4));
  expect(page.text()).toBe('succeeded');
  await page.leave();
  jest.useRealTimers();
});
