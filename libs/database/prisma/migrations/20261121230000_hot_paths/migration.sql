-- A row here never outlives its job: what deletes jobs deletes what they owe. To have PostgreSQL see to it cost a third of what
-- it takes to store a job: a lookup and a lock for each.
-- DropForeignKey
ALTER TABLE "outbox" DROP CONSTRAINT "outbox_job_id_fkey";

-- Each job passes through here in milliseconds: a table that is nearly empty, and all churn. Its dead entries stand in the way
-- of whoever looks for what is due, however few rows there are, so a share of them is no measure.
ALTER TABLE "outbox" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000);
