// What a container is made of.

import type { Container } from '../container/container.ts';
import type { Image } from '../image/image.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { ContainerConfig } from './container-config.ts';

export interface Ingredients {
  readonly container: Container;
  readonly sandbox: Sandbox;
  readonly image: Image;
  readonly config: ContainerConfig;
}
