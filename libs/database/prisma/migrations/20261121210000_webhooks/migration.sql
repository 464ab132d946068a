-- CreateEnum
CREATE TYPE "webhook_delivery_status" AS ENUM ('pending', 'delivered', 'failed');

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "webhook" JSONB;

-- CreateTable
CREATE TABLE "webhook_endpoints" (
    "name" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "events" "job_status"[],
    "types" TEXT[],
    "queues" TEXT[],
    "tags" TEXT[],
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "gone_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "webhook_deliveries" (
    "id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "endpoint" TEXT,
    "url" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "event" "job_status" NOT NULL,
    "snapshot" JSON NOT NULL,
    "bytes" INTEGER NOT NULL,
    "status" "webhook_delivery_status" NOT NULL DEFAULT 'pending',
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "log" JSONB NOT NULL DEFAULT '[]',
    "owed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "taken_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "error" TEXT,

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "webhook_deliveries_job_id_idx" ON "webhook_deliveries"("job_id");

-- AddForeignKey
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What is owed, host by host, so that a host which is not asked now costs one look, however much is owed to it. Prisma's
-- schema can't say "where".
CREATE INDEX "webhook_deliveries_pending_idx" ON "webhook_deliveries"("host", "due_at") WHERE "status" = 'pending';

-- UUIDv7 (RFC 9562 section 5.7): the milliseconds since 1970, then random. Built in from PostgreSQL 18 on only.
CREATE FUNCTION "uuid_v7"() RETURNS UUID LANGUAGE SQL VOLATILE PARALLEL SAFE AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::BIGINT) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1),
    'hex')::UUID
$$;
