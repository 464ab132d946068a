import { expect, it } from '@jest/globals';
import { readCommandLine } from './command-line.ts';

it.each([
  ['', { do: 'examine', repair: false, json: false }],
  ['--repair --json', { do: 'examine', repair: true, json: true }],
  ['dead-letters', { do: 'list', limit: 100 }],
  ['dead-letters list --limit 5', { do: 'list', limit: 5 }],
  ['dead-letters show a', { do: 'show', messageId: 'a' }],
  ['dead-letters redrive a', { do: 'redrive', messageId: 'a' }],
  ['dead-letters redrive --all', { do: 'redrive', messageId: null }],
  ['dead-letters delete a', { do: 'delete', messageId: 'a' }],
  ['dead-letters redrive --help', { do: 'help' }],
])('takes "%s"', (line, command) => {
  expect(readCommandLine(line.split(' ').filter(Boolean))).toEqual(command);
});

it.each([
  ['--mend', /--mend/],
  ['deadLetters', /no command "letters"/],
  ['dead-letters burn', /no command "dead-letters burn"/],
  ['dead-letters show', /needs a message id/],
  ['dead-letters list a', /"a" is one argument too many/],
  ['dead-letters show a b', /"b" is one argument too many/],
  ['dead-letters redrive', /needs a message id, or else --all/],
  ['dead-letters redrive a --all', /needs a message id, or else --all/],
  ['dead-letters delete --all', /--all has no meaning for dead-letters delete/],
  ['dead-letters --repair', /--repair has no meaning for dead-letters list/],
  ['--limit 3', /--limit has no meaning without a command/],
  ['dead-letters --limit 0', /--limit must be a whole number from 1 to 10000, not "0"/],
])('refuses "%s"', (line, message) => {
  expect(() => readCommandLine(line.split(' '))).toThrow(message);
});
