import { expect, it } from '@jest/globals';
import { cloudEventFaults } from './cloud-event-checker.ts';

const event = { specversion: '1.0', id: 'A234-1234-1234', source: '/mycontext', type: 'com.example.someevent' };

it.each([
  ['the required attributes', {}],
  ['all attributes', { subject: 'x', time: '2018-04-05T17:31:00Z', datacontenttype: 'application/json', data: {} }],
  ['extensions', { comexampleextension1: 'value', comexampleothervalue: 5 }],
  ['binary data', { datacontenttype: 'application/vnd.apache.thrift.binary', data_base64: 'AQID' }],
])('finds no fault in %s', (_what, more) => {
  expect(cloudEventFaults({ ...event, ...more })).toEqual([]);
});

it.each([
  ['no id', { id: undefined }],
  ['an empty id', { id: '' }],
  ['no source', { source: undefined }],
  ['a source that is not a URI reference', { source: 'a b' }],
  ['another version', { specversion: '0.3' }],
  ['no type', { type: undefined }],
  ['a time without a zone', { time: '2018-04-05T17:31:00' }],
  ['an empty subject', { subject: '' }],
  ['a malformed media type', { datacontenttype: 'json' }],
  ['a name with capitals', { jobId: 'x' }],
  ['an extension that is an object', { job: {} }],
  ['two kinds of data', { data: {}, data_base64: 'AQID' }],
])('finds %s', (_what, more) => {
  expect(cloudEventFaults(JSON.parse(JSON.stringify({ ...event, ...more })))).not.toEqual([]);
});
