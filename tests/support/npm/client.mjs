// Publishes to a hub and reads from it with @huggingface/hub, and prints what it saw as JSON.
// Usage: HUB_URL=.. HUB_TOKEN=.. node client.mjs NAMESPACE/NAME model|dataset xet|lfs

import { createHash } from "node:crypto";
import * as hub from "@huggingface/hub";

const [name, type, mode] = process.argv.slice(2);
const common = { hubUrl: process.env.HUB_URL, accessToken: process.env.HUB_TOKEN };
const repo = { type, name };
const useXet = mode === "xet";
const to = { ...common, repo };
const seen = {};

const sha256 = async (blob) => createHash("sha256").update(Buffer.from(await blob.arrayBuffer())).digest("hex");
const all = async (items) => {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
};
const refused = async (call) => {
  try {
    await call();
  } catch (error) {
    return error.statusCode ?? String(error);
  }
  return "allowed";
};

seen.user = (await hub.whoAmI(common)).name;
seen.existed = await hub.repoExists(to);
seen.created = (await hub.createRepo({ ...common, repo, private: true })).repoUrl;
seen.exists = await hub.repoExists(to);

// Ten of its own kind of megabyte, so that there are many chunks and some repeat.
const part = new Uint8Array(1 << 20).map((_, index) => (index * index) >> 7);
const noise = new Uint8Array(3 << 20);
for (let index = 0, state = 1; index < noise.length; index++) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  noise[index] = state >>> 16;
}
const large = new Blob([part, noise, part, part]);
seen.large = await sha256(large);
const first = await hub.uploadFiles({
  ...to,
  useXet,
  commitTitle: "upload three",
  files: [
    { path: "README.md", content: new Blob(["---\nlicense: mit\n---\n# hi\n"]) },
    { path: "a folder/ünï.txt", content: new Blob(["text"]) },
    { path: "model.safetensors", content: large },
  ],
});
seen.first = first.commit.oid;

const second = await hub.commit({
  ...to,
  useXet,
  title: "edit and delete",
  description: "in one commit",
  parentCommit: first.commit.oid,
  operations: [
    { operation: "delete", path: "a folder/ünï.txt" },
    { operation: "addOrUpdate", path: "other.bin", content: new Blob([noise, part]) },
    { operation: "addOrUpdate", path: "small.json", content: new Blob(["{}"]) },
  ],
});
seen.second = second.commit.oid;
seen.other = await sha256(new Blob([noise, part]));
seen.stale = await refused(() =>
  hub.commit({
    ...to,
    title: "stale",
    parentCommit: first.commit.oid,
    operations: [{ operation: "addOrUpdate", path: "x.txt", content: new Blob(["x"]) }],
  }),
);
const proposed = await hub.uploadFile({
  ...to,
  file: { path: "proposed.txt", content: new Blob(["p"]) },
  commitTitle: "proposal",
  isPullRequest: true,
});
seen.pullRequest = proposed.pullRequestUrl;

seen.files = (await all(hub.listFiles({ ...to, recursive: true }))).filter((file) => file.type === "file");
seen.atFirst = (await all(hub.listFiles({ ...to, revision: first.commit.oid, path: "a folder" }))).map((file) => file.path);
seen.commits = (await all(hub.listCommits(to))).map((commit) => commit.title);
seen.count = await hub.countCommits(to);
seen.info = await hub.pathsInfo({ ...to, paths: ["other.bin", "missing"] });

const downloaded = async (path, more = {}) => hub.downloadFile({ ...to, path, ...more });
seen.downloadedLarge = await sha256(await downloaded("model.safetensors"));
seen.downloadedPlain = await sha256(await downloaded("other.bin", { xet: false }));
seen.slice = await (await downloaded("README.md")).slice(4, 16).text();
seen.isXet = (await hub.fileDownloadInfo({ ...to, path: "model.safetensors" })).xet !== undefined;
seen.pointer = await (await downloaded("model.safetensors", { raw: true })).text();
seen.missing = await downloaded("nowhere.txt");
seen.fileExists = [await hub.fileExists({ ...to, path: "small.json" }), await hub.fileExists({ ...to, path: "no.json" })];
seen.anonymous = await refused(() => hub.downloadFile({ hubUrl: common.hubUrl, repo, path: "README.md" }));

const listing = type === "model" ? hub.listModels : hub.listDatasets;
const listed = await all(listing({ ...common, search: { owner: name.split("/")[0] } }));
seen.listed = listed.map((item) => item.name);
seen.updated = listed.every((item) => !Number.isNaN(item.updatedAt.getTime()));

await hub.createBranch({ ...to, branch: "dev" });
await hub.uploadFile({ ...to, branch: "dev", file: { path: "dev.txt", content: new Blob(["d"]) } });
seen.branch = await (await downloaded("dev.txt", { revision: "dev" })).text();
await hub.deleteBranch({ ...to, branch: "dev" });
await hub.deleteFiles({ ...to, paths: ["small.json"] });
seen.left = (await all(hub.listFiles(to))).map((file) => file.path);
if (process.env.KEEP !== "1") {
  await hub.deleteRepo({ ...common, repo });
  seen.gone = !(await hub.repoExists(to));
}
console.log(JSON.stringify(seen));
