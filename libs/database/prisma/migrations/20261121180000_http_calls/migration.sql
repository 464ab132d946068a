-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "dedupe_key" TEXT,
ADD COLUMN     "traceparent" TEXT;

-- While a job with this type and key is not finished, there is no second one. Prisma's schema can't say "where".
CREATE UNIQUE INDEX "jobs_dedupe_idx" ON "jobs"("type", "dedupe_key")
WHERE "dedupe_key" IS NOT NULL AND "status" IN ('scheduled', 'queued', 'running');

-- How many wait in a queue, since when, and how many before a given job: only those that wait are in it, and it answers
-- without their rows.
CREATE INDEX "jobs_queued_idx" ON "jobs"("queue", "priority", "id") INCLUDE ("due_at", "created_at") WHERE "status" = 'queued';

-- Every job leaves dead entries behind in the indexes by status. Whoever lists or counts goes through them until they are
-- vacuumed, and a fifth of a large table, the default, is many.
ALTER TABLE "jobs" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "client" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" BYTEA NOT NULL,
    "job_ids" UUID[],
    "made" BOOLEAN[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("client","key")
);

-- CreateIndex
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys"("created_at");
