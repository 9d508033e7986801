// Opens each page in a headless Chromium as a reader would have it, and says what is wrong with it.
// Called by check-pages, which finds the browser.

import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const arguments_ = process.argv.slice(2);
const files = [];
let screenshots = null;
let strict = false;
while (arguments_.length > 0) {
  const argument = arguments_.shift();
  if (argument === "--screenshots") screenshots = resolve(arguments_.shift() ?? "screenshots");
  else if (argument === "--strict") strict = true;
  else files.push(argument);
}
if (screenshots) mkdirSync(screenshots, { recursive: true });

const SIZES = [{ name: "wide", width: 1280, height: 900 }, { name: "phone", width: 390, height: 844 }];
const SCHEMES = ["light", "dark"];
let failures = 0;

function fail(page, what) {
  failures += 1;
  console.log(`${page}: ${what}`);
}

async function open(browser, file, options, say) {
  const context = await browser.newContext({ reducedMotion: "reduce", bypassCSP: false, ...options });
  const page = await context.newPage();
  const url = pathToFileURL(resolve(file)).href;
  page.on("request", (request) => {
    if (request.url() !== url) say(`a request to ${request.url()}`);
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) say(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => say(`an error of the script: ${error.message}`));
  page.on("dialog", (dialog) => {
    say(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(url);
  return { context, page };
}

// What axe says, which must be in the page.
async function examine(page, say) {
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of result.violations) {
    const places = violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
    const line = `axe: ${violation.impact}: ${violation.id}: ${violation.help} (${violation.nodes.length}: ${places})`;
    if (strict || ["serious", "critical"].includes(violation.impact)) say(line);
    else console.log(`note: ${line}`);
  }
}

async function fits(page, say, width) {
  const found = await page.evaluate(() => document.scrollingElement.scrollWidth);
  if (found > width) say(`scrolls sideways: ${found} of ${width} pixels`);
}

// Search and sort, by keyboard alone.
async function use(page, say) {
  const field = page.locator("#find");
  const tables = await page.evaluate(() => Array.from(document.querySelectorAll("table.rows"), (table) => table.closest("details") === null));
  if ((await field.isVisible()) !== tables.includes(true)) say("the search field is visible without a table, or hidden with one");
  if (!tables.includes(true)) return;
  await field.focus();
  await page.keyboard.type("no row has this text");
  if ((await page.locator("table.rows tbody tr:visible").count()) > 0) say("the search hides nothing");
  if (!/^0 of [\d,]+ rows match$/.test(await page.locator("#found").innerText())) say("the search does not say what it found");
  await page.keyboard.press("Escape");
  if ((await page.locator("table.rows tbody tr[hidden]").count()) > 0) say("Escape does not show all rows again");
  const button = page.locator("table.rows th button").first();
  if ((await button.count()) === 0) return;
  const order = () => button.evaluate((b) => Array.from(b.closest("table").tBodies[0].rows, (row) => row.cells[0].textContent));
  const before = await order();
  const sorted = [];
  for (let press = 0; press < 3; press += 1) {
    await button.focus();
    await page.keyboard.press("Enter");
    sorted.push([await button.evaluate((b) => b.parentNode.getAttribute("aria-sort")), await order()]);
  }
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  if (!["ascending", "descending"].includes(sorted[0][0]) || sorted[0][0] === sorted[1][0]) say("aria-sort does not say the order");
  if (new Set(before).size > 1 && same(sorted[0][1], sorted[1][1])) say("the sort changes nothing");
  if (sorted[2][0] !== null || !same(sorted[2][1], before)) say("the third press does not bring the first order back");
}

// Without JavaScript, all rows are there, and no control that does nothing.
async function plain(browser, file, say) {
  const { context, page } = await open(browser, file, { javaScriptEnabled: false, viewport: SIZES[1] }, say);
  if ((await page.locator("h1").count()) !== 1) say("not one h1");
  if ((await page.locator("table.rows tbody tr[hidden]").count()) > 0) say("a hidden row");
  if ((await page.locator("button:visible, input:visible").count()) > 0) say("a control that does nothing without JavaScript");
  await context.close();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
for (const file of files) {
  const name = basename(file).replace(/\.html$/, "");
  for (const { name: size, width, height } of SIZES) {
    let scheme = "";
    const say = (what) => fail(`${name}, ${size}${scheme}`, what);
    const { context, page } = await open(browser, file, { viewport: { width, height } }, say);
    await fits(page, say, width);
    for (const colorScheme of SCHEMES) {
      scheme = `, ${colorScheme}`;
      await page.emulateMedia({ colorScheme });
      if (screenshots) {
        await page.screenshot({ path: join(screenshots, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
    }
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    await page.evaluate(axe);
    for (const colorScheme of SCHEMES) {
      scheme = `, ${colorScheme}`;
      await page.emulateMedia({ colorScheme });
      await examine(page, say);
    }
    scheme = "";
    await fits(page, say, width);
    await use(page, say);
    await context.close();
  }
  const say = (what) => fail(`${name}, without JavaScript`, what);
  await plain(browser, file, say);
  if (screenshots) {
    const { context, page } = await open(browser, file, { colorScheme: "dark" }, say);
    await page.pdf({ path: join(screenshots, `${name}.pdf`), format: "A4", preferCSSPageSize: true, printBackground: false });
    await context.close();
  }
}
await browser.close();
console.log(failures === 0 ? `${files.length} pages are fine` : `${failures} problems in ${files.length} pages`);
process.exit(failures === 0 ? 0 : 1);
