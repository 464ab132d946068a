import { z } from 'zod';

/** Says that job types were registered or removed. Every api that has them in memory reads the table again. */
export const registration = {
  type: 'registration',
  version: 1,
  schema: z.object({ types: z.array(z.string()) }),
};
