-- AlterTable
ALTER TABLE "jobs" ADD COLUMN "lost_deliveries" SMALLINT NOT NULL DEFAULT 0;
