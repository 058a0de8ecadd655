/** What packages an image holds, read from the data bases of its package managers, as a document of SPDX 2.3. */
import { createHash } from "node:crypto";
import { EngineError } from "../../errors.ts";
import type { TreeRoot } from "../../native/trees.ts";
import type { Workers } from "../../native/workers.ts";

export const SBOM = "https://spdx.dev/Document";

interface Package {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly license: string;
  readonly supplier: string;
  readonly manager: "deb" | "apk";
}

/** Data bases of large systems are some 10 MB. */
const MOST = 64 << 20;

/** @see spdx.github.io/spdx-spec/v2.3 */
export async function sbom(
  tree: TreeRoot,
  workers: Pick<Workers, "read" | "walk" | "stat">,
  name: string,
): Promise<object> {
  const text = async (path: string): Promise<string> => {
    try {
      return (await workers.read(tree, path, MOST)).toString("utf8");
    } catch (error) {
      if (error instanceof EngineError && error.kind === "notFound") return "";
      throw error;
    }
  };
  const release = fieldsOf((await text("/etc/os-release")).replaceAll(/^(\w+)="?(.*?)"?$/gm, "$1: $2"), ": ");
  const distribution = { id: release.get("ID") ?? "linux", version: release.get("VERSION_ID") ?? "" };
  const packages = [
    ...parseDpkg(await text("/var/lib/dpkg/status")),
    // Images without a shell keep one file a package.
    ...(await parseParts(tree, workers, text)),
    ...parseApk(await text("/lib/apk/db/installed")),
  ];
  return documentOf(packages, distribution, name);
}

async function parseParts(
  tree: TreeRoot,
  workers: Pick<Workers, "walk" | "stat">,
  text: (path: string) => Promise<string>,
): Promise<Package[]> {
  const directory = "/var/lib/dpkg/status.d";
  if ((await workers.stat(tree, directory))?.type !== "dir") return [];
  const found: Package[] = [];
  for await (const { path, type } of workers.walk(tree, directory)) {
    if (type === "file" && !path.endsWith(".md5sums"))
      found.push(...parseDpkg(await text(`${directory}/${path}`)));
  }
  return found;
}

/** @see deb822(5) */
function parseDpkg(text: string): Package[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const fields = fieldsOf(paragraph, ": ");
    const name = fields.get("Package");
    const status = fields.get("Status");
    if (name === undefined || (status !== undefined && !/\binstalled$/.test(status))) return [];
    return [
      {
        name,
        version: fields.get("Version") ?? "",
        architecture: fields.get("Architecture") ?? "",
        license: "",
        supplier: fields.get("Maintainer") ?? "",
        manager: "deb" as const,
      },
    ];
  });
}

/** @see wiki.alpinelinux.org/wiki/Apk_spec, "Installed Database" */
function parseApk(text: string): Package[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const fields = fieldsOf(paragraph, ":");
    const name = fields.get("P");
    if (name === undefined) return [];
    return [
      {
        name,
        version: fields.get("V") ?? "",
        architecture: fields.get("A") ?? "",
        license: fields.get("L") ?? "",
        supplier: fields.get("m") ?? "",
        manager: "apk" as const,
      },
    ];
  });
}

function fieldsOf(text: string, separator: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf(separator);
    const key = line.slice(0, at);
    if (at > 0 && !/\s/.test(line[0]!) && !fields.has(key))
      fields.set(key, line.slice(at + separator.length).trim());
  }
  return fields;
}

function documentOf(
  packages: readonly Package[],
  distribution: { readonly id: string; readonly version: string },
  name: string,
): object {
  const described = packages.map((each) => {
    const { name: title, version, license, supplier } = each;
    const purl = purlOf(each, distribution);
    return {
      SPDXID: `SPDXRef-Package-${createHash("sha256").update(purl).digest("hex").slice(0, 16)}`,
      name: title,
      versionInfo: version,
      supplier: supplier === "" ? "NOASSERTION" : `Person: ${supplier}`,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      licenseDeclared: license === "" ? "NOASSERTION" : license,
      copyrightText: "NOASSERTION",
      externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
    };
  });
  const digest = createHash("sha256").update(JSON.stringify(described)).digest("hex");
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name,
    documentNamespace: `https://slipway.invalid/spdx/${digest}`,
    creationInfo: { created: new Date().toISOString().replace(/\.\d+Z$/, "Z"), creators: ["Tool: slipway"] },
    packages: described,
    relationships: described.map(({ SPDXID }) => ({
      spdxElementId: "SPDXRef-DOCUMENT",
      relationshipType: "DESCRIBES",
      relatedSpdxElement: SPDXID,
    })),
  };
}

/** @see github.com/package-url/purl-spec */
function purlOf(
  { manager, name, version, architecture }: Package,
  { id, version: release }: { readonly id: string; readonly version: string },
): string {
  const encode = (text: string): string => encodeURIComponent(text).replaceAll("%3A", ":");
  const query = [
    `arch=${encode(architecture)}`,
    `distro=${encode(release === "" ? id : `${id}-${release}`)}`,
  ];
  return `pkg:${manager}/${id}/${encode(name)}@${encode(version)}?${query.join("&")}`;
}
