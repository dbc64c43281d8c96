-- lockstep-after: 20260320120000_audit_trail
-- Orders from before the audit trail: theirs begins with the order as it is when this runs.
INSERT INTO "audit_event" ("table_name", "row_id", "action", "after", "occurred_at")
SELECT 'Order', "Order"."id", 'INSERT'::"audit_action", to_jsonb("Order"), "Order"."createdAt"
FROM "Order"
WHERE NOT EXISTS (
    SELECT FROM "audit_event"
    WHERE "audit_event"."table_name" = 'Order' AND "audit_event"."row_id" = "Order"."id"
);
