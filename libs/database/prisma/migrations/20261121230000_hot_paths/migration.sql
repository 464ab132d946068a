-- A row here never outlives its job: what deletes jobs deletes what they owe. To have PostgreSQL see to it cost a third of what
-- it takes to store a job: a lookup and a lock for each.
-- DropForeignKey
ALTER TABLE "outbox" DROP CONSTRAINT "outbox_job_id_fkey";

-- Each job passes through here in milliseconds: a table that is nearly empty, and all churn. Its dead entries stand in the way
-- of whoever looks for what is due, however few rows there are, so a share of them is no measure.
ALTER TABLE "outbox" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000);

-- No status is null. But so the index serves who asks for one, and nobody who looks a job up by its id: as long as there are
-- few jobs it would seem as good for that as the primary key, and a plan that was made then is kept when there are many.
-- Prisma's schema can't say "where".
DROP INDEX "jobs_status_id_idx";
CREATE INDEX "jobs_status_id_idx" ON "jobs"("status", "id" DESC) WHERE "status" IS NOT NULL;
