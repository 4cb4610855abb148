// Names of images as people and the kubelet write them, and the one form in which we keep them.

import { Fault } from '../base/fault.ts';
import { isDigest, type Digest } from './digest.ts';

/** A name with its registry, and what it points at there: a tag, a digest, or both. */
export interface Reference {
  /** `docker.io`, `127.0.0.1:5000`, `[::1]:5000` */
  readonly registry: string;
  /** `library/busybox` */
  readonly repository: string;
  /** `latest` if neither a tag nor a digest was written. */
  readonly tag?: string;
  readonly digest?: Digest;
  /** The normal form: `docker.io/library/busybox:latest`. */
  toString(): string;
}

const DEFAULT_REGISTRY = 'docker.io';
const MAX_NAME_LENGTH = 255;

const HOST_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const REGISTRY = new RegExp(
  String.raw`^(?:${HOST_LABEL}(?:\.${HOST_LABEL})*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$`,
);
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const IMAGE_ID = /^[0-9a-f]{64}$/;

/**
 * `busybox` → `docker.io/library/busybox:latest`; `localhost:5000/a/b@sha256:…` stays as it is.
 *
 * @throws {Fault} invalid_argument — it is no reference
 * Source: the grammar of github.com/distribution/reference.
 */
export function parseReference(text: string): Reference {
  const [name, tag, digest] = split(text);
  const { registry, repository } = splitName(name);
  if (!REGISTRY.test(registry)) throw invalid(text, `"${registry}" is no registry`);
  if (!REPOSITORY.test(repository)) throw invalid(text, `"${repository}" is no repository`);
  if (name.length > MAX_NAME_LENGTH) throw invalid(text, `its name has over ${MAX_NAME_LENGTH} characters`);
  if (IMAGE_ID.test(text)) throw invalid(text, 'it is an image id');
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `"${tag}" is no tag`);
  if (digest !== undefined) checkDigest(text, digest);
  return toReference({ registry, repository, tag, digest });
}

/** The normal form of what may be a reference; anything else stays as it is. */
export function fullName(text: string): string {
  try {
    return parseReference(text).toString();
  } catch {
    return text;
  }
}

function checkDigest(text: string, digest: string): void {
  if (!isDigest(digest)) throw invalid(text, 'what follows the "@" is no digest');
}

/** `name[:tag][@digest]` in its parts. */
function split(text: string): [name: string, tag: string | undefined, digest: string | undefined] {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const rest = at < 0 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(':');
  if (colon < 0 || rest.includes('/', colon)) return [rest, undefined, digest]; // it belongs to a port
  return [rest.slice(0, colon), rest.slice(colon + 1), digest];
}

/** The first part is a registry only if it cannot be part of a repository's name on Docker Hub. */
function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, slash);
  const isRegistry =
    slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const registry = isRegistry ? first : DEFAULT_REGISTRY;
  const path = isRegistry ? name.slice(slash + 1) : name;
  if (registry !== DEFAULT_REGISTRY && registry !== 'index.docker.io') return { registry, repository: path };
  return { registry: DEFAULT_REGISTRY, repository: path.includes('/') ? path : `library/${path}` };
}

interface Parts {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

function toReference({ registry, repository, tag, digest }: Parts): Reference {
  const name = `${registry}/${repository}`;
  const shownTag = tag ?? (digest === undefined ? 'latest' : undefined);
  const text =
    name + (shownTag === undefined ? '' : `:${shownTag}`) + (digest === undefined ? '' : `@${digest}`);
  return {
    registry,
    repository,
    ...(shownTag !== undefined && { tag: shownTag }),
    ...(digest !== undefined && { digest }),
    toString: () => text,
  };
}

/** Whether the text names a repository alone: neither a tag nor a digest is written in it. */
export function isNameOnly(text: string): boolean {
  const [, tag, digest] = split(text);
  return tag === undefined && digest === undefined;
}

/** `docker.io/library/busybox` */
export function toName({ registry, repository }: Pick<Reference, 'registry' | 'repository'>): string {
  return `${registry}/${repository}`;
}

/** `docker.io/library/busybox:latest`, or `undefined` if it has no tag. */
export function toRepoTag({ registry, repository, tag }: Reference): string | undefined {
  return tag === undefined ? undefined : `${registry}/${repository}:${tag}`;
}

/** `docker.io/library/busybox@sha256:…` */
export function toRepoDigest({ registry, repository }: Reference, digest: Digest): string {
  return `${registry}/${repository}@${digest}`;
}

function invalid(text: string, why: string): Fault {
  return new Fault('invalid_argument', `cannot parse image reference "${text}": ${why}`, {
    detail: { reference: text },
  });
}
