import type { Prisma, ProductVariant } from "../../src/generated/prisma/client.js"

/** What the orders refer to. */
export interface Variants {
  readonly jacket: ProductVariant
  readonly lamp: ProductVariant
}

/** Writes categories, tags, two products with a variant each, and the stock of the main warehouse. */
export async function seedCatalogue(database: Prisma.TransactionClient): Promise<Variants> {
  await upsertCategory(database, { slug: "clothing", name: "Clothing", position: 1 })
  await upsertCategory(database, { slug: "equipment", name: "Equipment", position: 2 })
  await upsertCategory(database, {
    slug: "lighting",
    name: "Lighting",
    parent: { connect: { slug: "equipment" } },
  })

  const lamp = await upsertProduct(
    database,
    {
      slug: "head-lamp",
      name: "Head lamp",
      keywords: ["lamp", "light", "torch"],
      attributes: { lumen: 400, waterproof: true },
      categories: { create: { category: { connect: { slug: "lighting" } } } },
      tags: { connectOrCreate: tags("outdoor", "new") },
    },
    { sku: "LAMP-400", price: "49.90", options: { colour: "black" }, weightGram: 86 },
  )
  const jacket = await upsertProduct(
    database,
    {
      slug: "rain-jacket",
      name: "Rain jacket",
      keywords: ["jacket", "rain", "shell"],
      attributes: { material: "nylon", waterproof: true },
      categories: { create: { category: { connect: { slug: "clothing" } } } },
      tags: { connectOrCreate: tags("outdoor") },
      accessories: { connect: { slug: "head-lamp" } },
    },
    { sku: "JACKET-M", price: "129.00", options: { size: "M", colour: "red" }, weightGram: 310 },
  )

  const main = await database.warehouse.upsert({
    where: { code: "MAIN" },
    create: { code: "MAIN", name: "Main warehouse" },
    update: {},
  })
  await database.stockLevel.createMany({
    data: [lamp, jacket].map((variant) => ({ warehouseId: main.id, variantId: variant.id, onHand: 25, reserved: 2 })),
    skipDuplicates: true,
  })
  return { jacket, lamp }
}

function tags(...names: string[]): Prisma.TagCreateOrConnectWithoutProductsInput[] {
  return names.map((name) => ({ where: { name }, create: { name } }))
}

async function upsertCategory(database: Prisma.TransactionClient, create: Prisma.CategoryCreateInput): Promise<void> {
  await database.category.upsert({ where: { slug: create.slug }, create, update: {} })
}

async function upsertProduct(
  database: Prisma.TransactionClient,
  product: Prisma.ProductCreateInput,
  variant: Prisma.ProductVariantCreateWithoutProductInput,
): Promise<ProductVariant> {
  const { id } = await database.product.upsert({
    where: { slug: product.slug },
    create: { ...product, status: "ACTIVE" },
    update: {},
  })
  return database.productVariant.upsert({
    where: { sku: variant.sku },
    create: { ...variant, product: { connect: { id } } },
    update: {},
  })
}
