-- CreateEnum
CREATE TYPE "RefundReason" AS ENUM ('RETURNED', 'DAMAGED', 'NOT_DELIVERED', 'GOODWILL');

-- CreateTable
CREATE TABLE "Refund" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "paymentId" UUID NOT NULL,
    "reason" "RefundReason" NOT NULL,
    "amount" DECIMAL(12,2) NOT NULL,
    "note" TEXT,
    "issuedById" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Refund_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RefundLine" (
    "refundId" UUID NOT NULL,
    "orderId" UUID NOT NULL,
    "lineNumber" SMALLINT NOT NULL,
    "quantity" INTEGER NOT NULL,

    CONSTRAINT "RefundLine_pkey" PRIMARY KEY ("refundId","orderId","lineNumber")
);

-- CreateIndex
CREATE INDEX "Refund_paymentId_idx" ON "Refund"("paymentId");

-- CreateIndex
CREATE INDEX "RefundLine_orderId_lineNumber_idx" ON "RefundLine"("orderId", "lineNumber");

-- AddForeignKey
ALTER TABLE "Refund" ADD CONSTRAINT "Refund_paymentId_fkey" FOREIGN KEY ("paymentId") REFERENCES "Payment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Refund" ADD CONSTRAINT "Refund_issuedById_fkey" FOREIGN KEY ("issuedById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RefundLine" ADD CONSTRAINT "RefundLine_refundId_fkey" FOREIGN KEY ("refundId") REFERENCES "Refund"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RefundLine" ADD CONSTRAINT "RefundLine_orderId_lineNumber_fkey" FOREIGN KEY ("orderId", "lineNumber") REFERENCES "OrderLine"("orderId", "lineNumber") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Prisma's schema language has no check constraints.
ALTER TABLE "Refund" ADD CONSTRAINT "Refund_amount_check" CHECK ("amount" > 0);
ALTER TABLE "RefundLine" ADD CONSTRAINT "RefundLine_quantity_check" CHECK ("quantity" > 0);

-- What bookkeeping reads: each order with what it costs, what was paid, and what is still open.
CREATE VIEW "order_balance" AS
SELECT
    "Order"."id" AS "orderId",
    "Order"."organisationId",
    "Order"."number",
    "Order"."currency",
    "line"."total" AS "ordered",
    "payment"."total" AS "paid",
    "refund"."total" AS "refunded",
    "line"."total" - "payment"."total" + "refund"."total" AS "open"
FROM "Order"
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(round("quantity" * "unitPrice" * (1 + "taxRate"), 2)), 0) AS "total"
    FROM "OrderLine"
    WHERE "OrderLine"."orderId" = "Order"."id"
) AS "line"
CROSS JOIN LATERAL (
    SELECT COALESCE(sum("amount"), 0) AS "total"
    FROM "Payment"
    WHERE "Payment"."orderId" = "Order"."id" AND "Payment"."status" = 'CAPTURED'
) AS "payment"
CROSS JOIN LATERAL (
    SELECT COALESCE(sum("Refund"."amount"), 0) AS "total"
    FROM "Refund"
    JOIN "Payment" ON "Payment"."id" = "Refund"."paymentId"
    WHERE "Payment"."orderId" = "Order"."id"
) AS "refund";
