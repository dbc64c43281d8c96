-- CreateIndex
CREATE INDEX CONCURRENTLY "Order_organisationId_status_placedAt_idx" ON "Order"("organisationId", "status", "placedAt" DESC);
