import type { Order, Prisma } from "../../src/generated/prisma/client.js"
import type { Variants } from "./catalogue.js"
import type { People } from "./people.js"

/** Writes a paid order with a partial refund, and the draft of the order that replaces it. */
export async function seedOrders(
  database: Prisma.TransactionClient,
  people: People,
  { jacket, lamp }: Variants,
): Promise<void> {
  const paid = await upsertOrder(database, people, 1, {
    status: "PAID",
    placedAt: new Date("2026-03-30T09:15:00Z"),
    shippingAddress: { connect: { id: people.address.id } },
    billingAddress: { connect: { id: people.address.id } },
    metadata: { channel: "web" },
    lines: {
      create: [
        { lineNumber: 1, variantId: jacket.id, name: "Rain jacket", quantity: 2, unitPrice: "129.00", taxRate: "0.2" },
        { lineNumber: 2, variantId: lamp.id, name: "Head lamp", quantity: 1, unitPrice: "49.90", taxRate: "0.2" },
      ],
    },
  })
  const reference = { provider: "bank", providerReference: "2026-0001" }
  const payment = await database.payment.upsert({
    where: { provider_providerReference: reference },
    create: {
      ...reference,
      orderId: paid.id,
      method: "BANK_TRANSFER",
      status: "CAPTURED",
      amount: "369.48",
      capturedAt: new Date("2026-03-31T14:00:00Z"),
    },
    update: {},
  })
  if ((await database.refund.count({ where: { paymentId: payment.id } })) === 0) {
    await database.refund.create({
      data: {
        paymentId: payment.id,
        reason: "DAMAGED",
        amount: "59.88",
        issuedById: people.system.id,
        lines: { create: { orderId: paid.id, lineNumber: 2, quantity: 1 } },
      },
    })
  }
  await upsertOrder(database, people, 2, {
    replaces: { connect: { id: paid.id } },
    lines: { create: { lineNumber: 1, variantId: lamp.id, name: "Head lamp", quantity: 1, unitPrice: "0" } },
  })
}

type OrderContent = Omit<Prisma.OrderCreateInput, "organisation" | "number" | "placedBy">

function upsertOrder(
  database: Prisma.TransactionClient,
  { customer, buyer }: People,
  number: number,
  content: OrderContent,
): Promise<Order> {
  return database.order.upsert({
    where: { organisationId_number: { organisationId: customer.id, number } },
    create: {
      ...content,
      number,
      organisation: { connect: { id: customer.id } },
      placedBy: { connect: { id: buyer.id } },
    },
    update: {},
  })
}
