import { z } from 'zod';
import type { Topology } from '@offload/messaging';

/** The messages and the topology that servers and workers share. */
export const wanted = { type: 'report.wanted', version: 1, schema: z.object({ id: z.uuid() }) };
export const written = { type: 'report.written', version: 1, schema: z.object({ id: z.uuid(), report: z.string() }) };
export const topology: Topology = {
  queues: { 'reports.wanted': {} },
  exchanges: { 'reports.written': { type: 'fanout' } },
};
