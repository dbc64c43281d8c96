import type { Address, Organisation, Prisma, User } from "../../src/generated/prisma/client.js"

/** Who the orders refer to. */
export interface People {
  /** The account that scheduled jobs act as: the migrations create it, `push` does not. */
  readonly system: User
  readonly buyer: User
  readonly customer: Organisation
  readonly address: Address
}

/** Writes users, the shop, a customer with a subsidiary, and who belongs where. */
export async function seedPeople(database: Prisma.TransactionClient): Promise<People> {
  const system = await upsertUser(database, {
    id: "00000000-0000-4000-8000-000000000001",
    email: "system@shop.example",
    displayName: "Scheduled jobs",
  })
  const buyer = await upsertUser(database, {
    email: "ada@example.com",
    displayName: "Ada Byron",
    profile: { create: { locale: "en-GB", preferences: { newsletter: true } } },
  })
  const viewer = await upsertUser(database, { email: "charles@example.com", displayName: "Charles Babbage" })

  const shop = await upsertOrganisation(database, {
    id: "00000000-0000-4000-8000-000000000002",
    slug: "the-shop",
    name: "The Shop",
  })
  const customer = await upsertOrganisation(database, {
    slug: "analytical-engines",
    name: "Analytical Engines",
    taxNumber: "GB123456789",
  })
  await upsertOrganisation(database, {
    slug: "difference-works",
    name: "Difference Works",
    parent: { connect: { id: customer.id } },
  })

  await database.membership.createMany({
    data: [
      { organisationId: shop.id, userId: system.id, role: "OWNER" },
      { organisationId: customer.id, userId: buyer.id, role: "BUYER" },
      { organisationId: customer.id, userId: viewer.id, role: "VIEWER", invitedById: buyer.id },
    ],
    skipDuplicates: true,
  })
  const place = { organisationId: customer.id, label: "Head office" }
  const address = await database.address.upsert({
    where: { organisationId_label: place },
    create: { ...place, lines: ["1 Dorset Street"], postcode: "W1U 4EE", city: "London", countryCode: "GB" },
    update: {},
  })
  return { system, buyer, customer, address }
}

function upsertUser(database: Prisma.TransactionClient, create: Prisma.UserCreateInput): Promise<User> {
  return database.user.upsert({
    where: { email: create.email },
    create: { ...create, status: "ACTIVE" },
    update: {},
  })
}

function upsertOrganisation(
  database: Prisma.TransactionClient,
  create: Prisma.OrganisationCreateInput,
): Promise<Organisation> {
  return database.organisation.upsert({ where: { slug: create.slug }, create, update: {} })
}
