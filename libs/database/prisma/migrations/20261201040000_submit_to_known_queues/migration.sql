-- As before, but for a queue that neither a registered job type nor a worker names: a job there would wait for ever. Those who may call
-- the function still may. Its own path is set again, since PostgreSQL forgets that with each replacement.
CREATE OR REPLACE FUNCTION "offload"."submit"(
  "type" TEXT,
  "payload" JSONB,
  "queue" TEXT DEFAULT NULL,
  "run_at" TIMESTAMPTZ DEFAULT NULL,
  "priority" INTEGER DEFAULT 0,
  "max_attempts" INTEGER DEFAULT NULL,
  "timeout_ms" INTEGER DEFAULT NULL,
  "dedupe_key" TEXT DEFAULT NULL,
  "tags" TEXT[] DEFAULT '{}',
  "traceparent" TEXT DEFAULT NULL
) RETURNS UUID LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  policy job_types%ROWTYPE;
  made UUID;
BEGIN
  -- The version that new payloads are for: the newest that a worker runs now, or the newest where none runs.
  SELECT * INTO policy FROM job_types WHERE type = submit.type
  ORDER BY EXISTS (
    SELECT FROM workers
    WHERE workers.types ->> job_types.type = job_types.version::TEXT AND last_heard_at > now() - interval '30 seconds'
  ) DESC, version DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'offload.submit: "%" is no registered job type', submit.type USING ERRCODE = '22023';
  ELSIF submit.payload IS NULL OR octet_length(submit.payload::TEXT) > 1024 * 1024 THEN
    RAISE EXCEPTION 'offload.submit: payload must not be null, and has at most 1 MiB' USING ERRCODE = '22023';
  ELSIF submit.priority IS NULL OR submit.priority NOT BETWEEN 0 AND 9 THEN
    RAISE EXCEPTION 'offload.submit: priority must be from 0 to 9' USING ERRCODE = '22023';
  ELSIF NOT isfinite(submit.run_at) OR submit.run_at >= '10000-01-01 00:00:00+00' THEN
    RAISE EXCEPTION 'offload.submit: run_at must be before the year 10000' USING ERRCODE = '22023';
  ELSIF submit.max_attempts NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION 'offload.submit: max_attempts must be from 1 to 100' USING ERRCODE = '22023';
  ELSIF submit.timeout_ms NOT BETWEEN 1 AND 7200000 THEN
    RAISE EXCEPTION 'offload.submit: timeout_ms must be from 1 to 7200000' USING ERRCODE = '22023';
  ELSIF submit.queue !~ '^[a-z0-9][a-z0-9._-]{0,62}$' THEN
    RAISE EXCEPTION 'offload.submit: queue must be up to 63 of a-z, 0-9, ".", "_" and "-"' USING ERRCODE = '22023';
  ELSIF submit.queue IS NOT NULL
    AND NOT EXISTS (SELECT FROM job_types WHERE job_types.queue = submit.queue)
    AND NOT EXISTS (SELECT FROM workers WHERE submit.queue = ANY (queues)) THEN
    RAISE EXCEPTION 'offload.submit: queue "%" is neither the own one of a registered job type nor one that a worker consumes',
      submit.queue USING ERRCODE = '22023';
  ELSIF length(submit.dedupe_key) NOT BETWEEN 1 AND 255 THEN
    RAISE EXCEPTION 'offload.submit: dedupe_key must have 1 to 255 characters' USING ERRCODE = '22023';
  ELSIF submit.tags IS NULL OR cardinality(submit.tags) > 16
    OR EXISTS (SELECT FROM unnest(submit.tags) AS tag WHERE tag IS NULL OR length(tag) NOT BETWEEN 1 AND 64) THEN
    RAISE EXCEPTION 'offload.submit: tags are at most 16, of 1 to 64 characters' USING ERRCODE = '22023';
  END IF;

  LOOP
    INSERT INTO jobs (id, type, type_version, queue, status, priority, tags, payload, max_attempts, timeout_ms, backoff,
      due_at, dedupe_key, traceparent)
    VALUES (uuid_v7(), submit.type, policy.version, coalesce(submit.queue, policy.queue),
      (CASE WHEN submit.run_at > now() THEN 'scheduled' ELSE 'queued' END)::job_status, submit.priority, submit.tags,
      submit.payload::JSON, coalesce(submit.max_attempts, policy.max_attempts),
      coalesce(submit.timeout_ms, policy.timeout_ms), policy.backoff, coalesce(submit.run_at, now()), submit.dedupe_key,
      submit.traceparent)
    ON CONFLICT (type, dedupe_key) WHERE dedupe_key IS NOT NULL AND status IN ('scheduled', 'queued', 'running') DO NOTHING
    RETURNING id INTO made;
    IF FOUND THEN
      INSERT INTO outbox (job_id, due_at) VALUES (made, coalesce(submit.run_at, now()));
      RETURN made;
    END IF;
    SELECT id INTO made FROM jobs
    WHERE type = submit.type AND dedupe_key = submit.dedupe_key AND status IN ('scheduled', 'queued', 'running');
    IF FOUND THEN RETURN made; END IF;
    -- It has ended in between.
  END LOOP;
END
$$;

DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION offload.submit SET search_path = %I, pg_temp', current_schema());
END $$;
