-- AlterTable
ALTER TABLE "jobs" ADD COLUMN "loss_note" JSONB;
