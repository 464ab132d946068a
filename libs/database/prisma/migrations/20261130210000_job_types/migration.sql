-- AlterTable
-- The version of its type that took the payload of a job. Those from before there were versions are of the first.
ALTER TABLE "jobs" ADD COLUMN "type_version" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "job_types" (
    "type" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "description" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "timeout_ms" INTEGER NOT NULL,
    "max_attempts" INTEGER NOT NULL,
    "backoff" JSONB NOT NULL,
    "upgrades" BOOLEAN NOT NULL,
    "payload_schema" JSON NOT NULL,
    "result_schema" JSON NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_types_pkey" PRIMARY KEY ("type","version")
);

-- CreateTable
CREATE TABLE "workers" (
    "instance" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "queues" TEXT[],
    "slots" INTEGER NOT NULL,
    "types" JSONB NOT NULL,
    "draining" BOOLEAN NOT NULL DEFAULT false,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_heard_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workers_pkey" PRIMARY KEY ("instance")
);
