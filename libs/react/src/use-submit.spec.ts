import { expect, it, jest } from '@jest/globals';
import { act, show } from './spec-page.ts';
import { useSubmit, type Submission } from './use-submit.ts';

type Send = (payload: string) => Promise<string>;
let submission: Submission<[string], string>;

function Form({ send }: { send: Send }): string {
  submission = useSubmit(send);
  const { submitting, submitted, error } = submission;
  return submitting ? 'submitting' : (submitted ?? error?.message ?? 'nothing');
}

it('submits once for two clicks, and again afterwards', async () => {
  let resolve: (id: string) => void = () => undefined;
  const promise = new Promise<string>((done) => (resolve = done));
  const send = jest.fn<Send>().mockReturnValueOnce(promise).mockResolvedValueOnce('second');
  const page = await show(Form, { send });
  const clicks: Promise<string | undefined>[] = [];
  await act(async () => void clicks.push(submission.submit('a'), submission.submit('b')));
  expect(page.text()).toBe('submitting');
  await act(async () => resolve('first'));
  expect(await Promise.all(clicks)).toEqual(['first', 'first']);
  expect(page.text()).toBe('first');
  await act(async () => void (await submission.submit('c')));
  expect(page.text()).toBe('second');
  expect(send.mock.calls).toEqual([['a'], ['c']]);
  await page.leave();
});

it('sets the error of a failed submission, also when nothing was sent', async () => {
  const send = jest.fn<Send>(() => {
    throw new Error('no network');
  });
  const page = await show(Form, { send });
  await act(async () => expect(await submission.submit('a')).toBeUndefined());
  expect(page.text()).toBe('no network');
  await page.leave();
});
