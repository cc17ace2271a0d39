// Writes src/generated from the program's IDL and from the types of the engine's quotes: `npm run generate`.
// Nothing here names an instruction, an event, an error or a parameter: they follow from the IDL.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rootNodeFromAnchor } from "@codama/nodes-from-anchor";
import { renderVisitor } from "@codama/renderers-js";
import {
  accountValueNode,
  addPdasVisitor,
  argumentValueNode,
  bottomUpTransformerVisitor,
  bytesTypeNode,
  camelCase,
  constantPdaSeedNode,
  constantPdaSeedNodeFromString,
  createFromRoot,
  definedTypeNode,
  fixedSizeTypeNode,
  isNode,
  numberTypeNode,
  pascalCase,
  pdaLinkNode,
  pdaNode,
  pdaSeedValueNode,
  pdaValueNode,
  publicKeyTypeNode,
  publicKeyValueNode,
  rootNode,
  variablePdaSeedNode,
} from "codama";

const here = dirname(fileURLToPath(import.meta.url));
const read = (file) => JSON.parse(readFileSync(join(here, "../../../idl", file), "utf8"));
const idl = read("breakwater.json");
const out = join(here, "../src/generated");

const ASSOCIATED_TOKEN_PROGRAM = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL";
const UPGRADEABLE_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111";
const TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

/** Codama's renderer leaves events out: each becomes a plain type, and the table below gets its discriminator. */
function withEventTypes(root) {
  const types = root.program.events.map(({ name, data }) =>
    definedTypeNode({ name, type: data.type, docs: idl.types.find((type) => camelCase(type.name) === name)?.docs }),
  );
  const program = { ...root.program, events: [], definedTypes: [...root.program.definedTypes, ...types] };
  return rootNode(program, root.additionalPrograms);
}

/** The associated token account of the instruction's account `who` for `collateral`, `quote` or `lp`. */
function associated(who, token) {
  const account = (name) => variablePdaSeedNode(name, publicKeyTypeNode());
  const program =
    token === "lp"
      ? constantPdaSeedNode(publicKeyTypeNode(), publicKeyValueNode(TOKEN_PROGRAM))
      : account("tokenProgram");
  const pda = pdaNode({
    name: "associatedToken",
    programId: ASSOCIATED_TOKEN_PROGRAM,
    seeds: [account("owner"), program, account("mint")],
  });
  const seeds = [
    pdaSeedValueNode("owner", accountValueNode(who)),
    pdaSeedValueNode("mint", accountValueNode(`${token}Mint`)),
  ];
  if (token !== "lp") seeds.push(pdaSeedValueNode("tokenProgram", accountValueNode(`${token}TokenProgram`)));
  return pdaValueNode(pda, seeds);
}

/** Where the loader keeps the program's code and its upgrade authority. */
function programData() {
  const program = constantPdaSeedNode(publicKeyTypeNode(), publicKeyValueNode(idl.address));
  return pdaValueNode(pdaNode({ name: "programData", programId: UPGRADEABLE_LOADER, seeds: [program] }));
}

/**
 * Where an account may be left out: it is a PDA of accounts and arguments beside it, or the associated account of one
 * beside it.
 */
function defaultFor(account, instruction, pdas) {
  const beside = new Set(instruction.accounts.map(({ name }) => name));
  const given = new Set(instruction.arguments.map(({ name }) => name));
  const pda = pdas.find(({ name }) => name === account.name);
  const seeds = pda?.seeds.filter((seed) => isNode(seed, "variablePdaSeedNode")) ?? [];
  if (pda && seeds.every(({ name }) => beside.has(name) || given.has(name))) {
    const value = (name) => (beside.has(name) ? accountValueNode(name) : argumentValueNode(name));
    return pdaValueNode(
      pdaLinkNode(pda.name),
      seeds.map(({ name }) => pdaSeedValueNode(name, value(name))),
    );
  }
  if (account.name === "programData") return programData();
  const [, who, token] = account.name.match(/^(.+)(Collateral|Quote|Lp)$/) ?? [];
  if (beside.has(who) && beside.has(`${token.toLowerCase()}Mint`)) return associated(who, token.toLowerCase());
  return undefined;
}

function withDefaults(codama) {
  const { pdas } = codama.getRoot().program;
  codama.update(
    bottomUpTransformerVisitor([
      {
        select: "[instructionNode]",
        transform: (instruction) => ({
          ...instruction,
          accounts: instruction.accounts.map((account) =>
            account.defaultValue || account.isOptional
              ? account
              : { ...account, defaultValue: defaultFor(account, instruction, pdas) },
          ),
        }),
      },
    ]),
  );
}

/** Codama writes imports for bundlers; Node and browsers want the file. */
function nameImportedFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      nameImportedFiles(path);
      continue;
    }
    const named = readFileSync(path, "utf8").replace(/from "(\.[^"]*)"/g, (_, target) => {
      const base = join(folder, target);
      const isFolder = statSync(base, { throwIfNoEntry: false })?.isDirectory();
      const file = relative(folder, isFolder ? join(base, "index.js") : `${base}.js`);
      return `from "${file.startsWith(".") ? file : `./${file}`}"`;
    });
    writeFileSync(path, named);
  }
}

/** What Codama has no place for: events by discriminator, and errors by code with name and message. */
function tables() {
  const events = idl.events.map(({ name, discriminator }) => {
    const hex = Buffer.from(discriminator).toString("hex");
    return `  ${name}: { discriminator: "${hex}", decoder: get${pascalCase(camelCase(name))}Decoder },`;
  });
  const errors = idl.errors.map(
    ({ code, name, msg }) => `  ${name}: { code: ${code}, message: ${JSON.stringify(msg)} },`,
  );
  const decoders = idl.events.map(({ name }) => `  get${pascalCase(camelCase(name))}Decoder,`);
  return `/** Generated from the IDL by scripts/generate.mjs. */
import {
${decoders.join("\n")}
} from "./types";

/** Every event: the first eight bytes of its log entry, in hex, and the decoder of the rest. */
export const EVENTS = {
${events.join("\n")}
} as const;

/** Every error of the program. */
export const ERRORS = {
${errors.join("\n")}
} as const;
`;
}

const codama = createFromRoot(
  withEventTypes(rootNodeFromAnchor({ ...idl, types: [...idl.types, ...read("quotes.json")] })),
);
// Anchor's `create_market` takes the id from inside its argument, which Codama does not follow; and of seeds that are slices
// Anchor's IDL says nothing.
codama.update(
  addPdasVisitor({
    [codama.getRoot().program.name]: [
      {
        name: "market",
        seeds: [
          constantPdaSeedNodeFromString("utf8", "market"),
          variablePdaSeedNode("collateralMint", publicKeyTypeNode()),
          variablePdaSeedNode("quoteMint", publicKeyTypeNode()),
          variablePdaSeedNode("id", numberTypeNode("u16")),
        ],
      },
      {
        name: "depthBudget",
        seeds: [
          constantPdaSeedNodeFromString("utf8", "depth_budget"),
          variablePdaSeedNode("name", fixedSizeTypeNode(bytesTypeNode(), 32)),
        ],
      },
    ],
  }),
);
withDefaults(codama);
await codama.accept(renderVisitor(out));
writeFileSync(join(out, "tables.ts"), tables());
// The table of errors replaces Codama's, which has the messages in development builds only.
rmSync(join(out, "errors"), { recursive: true });
const index = readFileSync(join(out, "index.ts"), "utf8").replace('"./errors"', '"./tables"');
writeFileSync(join(out, "index.ts"), index);
nameImportedFiles(out);
