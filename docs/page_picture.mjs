// Makes docs/page.jpg: the page with a photo that CREDITS.md names, one tap, then colour pop and focus before and
// after.
//
//	node docs/page_picture.mjs PHOTO.jpg X,Y	X,Y: shares of width and height. Needs make npm-web and netpbm.
import { execSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { launch, openPage, serve, settled, tapAt } from '../tests/web/browser.mjs';

const [photo, place] = process.argv.slice(2), [x, y] = place.split(',').map(Number);
const folder = mkdtempSync(`${tmpdir()}/tapcut-page-`);
const server = await serve(), browser = await launch();
const context = await browser.newContext({ viewport: { width: 1100, height: 760 }, colorScheme: 'light' });
const page = await openPage(context, server.url);
await page.locator('#file').setInputFiles(photo);
await page.waitForSelector('body[data-state="photo"]');
await tapAt(page, x, y);
await page.waitForTimeout(1200);
await page.screenshot({ path: `${folder}/1.png` });
await page.locator('#filters label').nth(1).click();
await page.locator('#blur').fill('35');
await page.locator('#compare').click();
await settled(page);
await page.waitForTimeout(2500);
await page.screenshot({ path: `${folder}/2.png` });
await browser.close();
server.stop();
execSync(`cd ${folder} && for i in 1 2; do pngtopnm $i.png | pnmscale -quiet -xsize 760 >$i.pnm; done &&
	pnmcat -quiet -lr 1.pnm 2.pnm | pnmtojpeg -quiet -optimize -quality 84 >page.jpg`);
execSync(`cp ${folder}/page.jpg docs/page.jpg`);
rmSync(folder, { recursive: true });
