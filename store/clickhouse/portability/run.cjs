// Runs the shipped SQL (statements.json) on the ClickHouse engine of the npm package chdb and compares the answers with
// those of 18.16. Development only.
"use strict";

const { readFileSync, mkdtempSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { tmpdir } = require("node:os");
const { Session } = require("chdb");

const statements = JSON.parse(readFileSync(join(__dirname, "statements.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "kangma-chdb-"));
const session = new Session(folder);
let failed = 0;

function run(sql, format) {
  try {
    return String(session.query(sql, format)).replace(/\n$/, "");
  } catch (error) {
    failed++;
    console.error(`refused: ${sql}\n  ${error.message}`);
    return undefined;
  }
}

const version = run("SELECT version()", "TabSeparated");
for (const sql of [...statements.tables, ...statements.current, ...statements.rows]) run(sql, "Null");
for (const { sql, want } of statements.questions) {
  const got = run(sql, "TabSeparated");
  if (got !== undefined && got.trim() !== want.trim()) {
    failed++;
    console.error(`differs: ${sql}\n  got  ${got}\n  want ${want}`);
  }
}
const copies = run("SELECT count() FROM kangma.passages FINAL", "TabSeparated");
if (copies !== "120") {
  failed++;
  console.error(`FINAL counts ${copies}, want 120`);
}
for (const sql of statements.upkeep) run(sql, "Null");
const dropped = run("SELECT count() FROM kangma.passages WHERE day = 20220710", "TabSeparated");
if (dropped !== "0") {
  failed++;
  console.error(`the dropped day has ${dropped} rows`);
}
session.close();
rmSync(folder, { recursive: true, force: true });
console.log(`ClickHouse ${version}: ${statements.tables.length} tables, ${statements.questions.length} questions, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
