-- CreateEnum
CREATE TYPE "audit_action" AS ENUM ('INSERT', 'UPDATE', 'DELETE');

-- CreateTable
CREATE TABLE "audit_event" (
    "id" BIGSERIAL NOT NULL,
    "table_name" VARCHAR(63) NOT NULL,
    "row_id" UUID NOT NULL,
    "action" "audit_action" NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "actor_id" UUID,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_event_table_name_row_id_occurred_at_idx" ON "audit_event"("table_name", "row_id", "occurred_at" DESC);

-- CreateIndex
CREATE INDEX "audit_event_actor_id_idx" ON "audit_event"("actor_id");

-- CreateIndex
CREATE INDEX "audit_event_occurred_at_idx" ON "audit_event" USING BRIN ("occurred_at");

-- AddForeignKey
ALTER TABLE "audit_event" ADD CONSTRAINT "audit_event_actor_id_fkey" FOREIGN KEY ("actor_id") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- One row for each change of an order, a payment or a refund. The application says who it acts for with
-- set_config('app.user_id', ..., true). Names are qualified with the schema of the changed table, so that
-- the trigger does not depend on the search_path of whoever writes.
CREATE FUNCTION "audit_row_change"() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO %1$I."audit_event" ("table_name", "row_id", "action", "before", "after", "actor_id")
         VALUES ($1, $2, $3::%1$I."audit_action", $4, $5, $6)',
        TG_TABLE_SCHEMA
    )
    USING
        TG_TABLE_NAME,
        COALESCE(NEW."id", OLD."id"),
        TG_OP,
        to_jsonb(OLD),
        to_jsonb(NEW),
        NULLIF(current_setting('app.user_id', true), '')::uuid;

    RETURN NULL;
END;
$$;

CREATE TRIGGER "audit_row_change"
AFTER INSERT OR UPDATE OR DELETE ON "Order"
FOR EACH ROW EXECUTE FUNCTION "audit_row_change"();

CREATE TRIGGER "audit_row_change"
AFTER INSERT OR UPDATE OR DELETE ON "Payment"
FOR EACH ROW EXECUTE FUNCTION "audit_row_change"();

CREATE TRIGGER "audit_row_change"
AFTER INSERT OR UPDATE OR DELETE ON "Refund"
FOR EACH ROW EXECUTE FUNCTION "audit_row_change"();
