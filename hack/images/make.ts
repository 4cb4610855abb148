// node hack/images/make.ts busybox|pause FILE: writes the image as an archive and prints its name.

import { writeImageArchive, type ImageContent } from './archive.ts';
import { busyboxImage, pauseImage } from './busybox.ts';

const [kind, file] = process.argv.slice(2);
const image = contentOf(kind);
if (image === undefined || file === undefined) {
  process.stderr.write('usage: node hack/images/make.ts busybox|pause FILE\n');
  process.exitCode = 2;
} else {
  await writeImageArchive(file, image);
  process.stdout.write(`${image.reference}\n`);
}

function contentOf(name: string | undefined): ImageContent | undefined {
  if (name === 'busybox') return busyboxImage();
  if (name === 'pause') return pauseImage();
  return undefined;
}
