-- The words of the glossary: a dispatch message says that a job is due, and what is yet to be sent is pending.
ALTER TABLE "jobs" RENAME COLUMN "ring_id" TO "dispatch_id";
ALTER TABLE "webhook_deliveries" RENAME COLUMN "owed_at" TO "pending_since";
