-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "cancel_requested" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "held_at" TIMESTAMPTZ(3),
ADD COLUMN     "holder" TEXT;
