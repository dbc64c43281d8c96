import process from "node:process"
import { PrismaPg } from "@prisma/adapter-pg"
import { PrismaClient } from "../src/generated/prisma/client.js"
import { seedCatalogue } from "./seed/catalogue.js"
import { seedOrders } from "./seed/orders.js"
import { seedPeople } from "./seed/people.js"

/** Fills the database at `url` with the example data, in one transaction; a second run changes nothing. */
async function seed(url: string): Promise<void> {
  const schema = new URL(url).searchParams.get("schema") ?? "public"
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }, { schema }) })
  try {
    await prisma.$transaction(
      async (database) => {
        const people = await seedPeople(database)
        const variants = await seedCatalogue(database)
        // Who the audit trail's triggers name as the one that wrote.
        await database.$queryRaw`SELECT set_config('app.user_id', ${people.system.id}, true)`
        await seedOrders(database, people, variants)
      },
      { timeout: 30_000 },
    )
    const [users, organisations, products, orders] = await Promise.all([
      prisma.user.count(),
      prisma.organisation.count(),
      prisma.product.count(),
      prisma.order.count(),
    ])
    console.error(
      `Seeded: ${users} users, ${organisations} organisations, ${products} products, ${orders} orders in the database.`,
    )
  } finally {
    await prisma.$disconnect()
  }
}

const url = process.env.DATABASE_URL
if (url === undefined || url === "") {
  console.error("DATABASE_URL is not set: it says which database to seed.")
  process.exitCode = 2
} else {
  await seed(url)
}
