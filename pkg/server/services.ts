// All RPCs that are there, by service. What is not listed answers `unimplemented`.

import { listOperations } from './admin/list-operations.ts';
import { diskUsage } from './admin/disk-usage.ts';
import { examine } from './admin/examine.ts';
import { listPulls } from './admin/list-pulls.ts';
import { loadImages } from './admin/load-images.ts';
import { verifyImages } from './admin/verify-images.ts';
import type { ServerDeps } from './deps.ts';
import { imageFsInfo } from './image/image-fs-info.ts';
import { imageStatus } from './image/image-status.ts';
import { listImages, streamImages } from './image/list-images.ts';
import { pullImage } from './image/pull-image.ts';
import { removeImage } from './image/remove-image.ts';
import { getContainerEvents } from './runtime/get-container-events.ts';
import { attach } from './runtime/attach.ts';
import { exec } from './runtime/exec.ts';
import { portForward } from './runtime/port-forward.ts';
import { listContainers, streamContainers } from './runtime/list-containers.ts';
import { listPodSandbox, streamPodSandboxes } from './runtime/list-pod-sandbox.ts';
import { containerStatus } from './runtime/container-status.ts';
import { createContainer } from './runtime/create-container.ts';
import { execSync } from './runtime/exec-sync.ts';
import { podSandboxStatus } from './runtime/pod-sandbox-status.ts';
import { removeContainer } from './runtime/remove-container.ts';
import { removePodSandbox } from './runtime/remove-pod-sandbox.ts';
import { reopenContainerLog } from './runtime/reopen-container-log.ts';
import { runPodSandbox } from './runtime/run-pod-sandbox.ts';
import { runtimeConfig } from './runtime/runtime-config.ts';
import { startContainer } from './runtime/start-container.ts';
import { status } from './runtime/status.ts';
import { stopContainer } from './runtime/stop-container.ts';
import { stopPodSandbox } from './runtime/stop-pod-sandbox.ts';
import { updateContainerResources } from './runtime/update-container-resources.ts';
import { updatePodSandboxResources } from './runtime/update-pod-sandbox-resources.ts';
import { updateRuntimeConfig } from './runtime/update-runtime-config.ts';
import { version } from './runtime/version.ts';
import type { Services } from './serve.ts';
import { statsServices } from './stats/stats-services.ts';

export function services(deps: ServerDeps): Services {
  return {
    runtime: {
      version: version(deps),
      status: status(deps),
      runtimeConfig: runtimeConfig(deps),
      updateRuntimeConfig: updateRuntimeConfig(deps),
      runPodSandbox: runPodSandbox(deps),
      stopPodSandbox: stopPodSandbox(deps),
      removePodSandbox: removePodSandbox(deps),
      podSandboxStatus: podSandboxStatus(deps),
      listPodSandbox: listPodSandbox(deps),
      streamPodSandboxes: streamPodSandboxes(deps),
      createContainer: createContainer(deps),
      startContainer: startContainer(deps),
      stopContainer: stopContainer(deps),
      removeContainer: removeContainer(deps),
      containerStatus: containerStatus(deps),
      listContainers: listContainers(deps),
      streamContainers: streamContainers(deps),
      reopenContainerLog: reopenContainerLog(deps),
      updateContainerResources: updateContainerResources(deps),
      updatePodSandboxResources: updatePodSandboxResources(deps),
      execSync: execSync(deps),
      exec: exec(deps),
      attach: attach(deps),
      portForward: portForward(deps),
      getContainerEvents: getContainerEvents(deps),
      ...statsServices(deps),
    },
    image: {
      listImages: listImages(deps),
      streamImages: streamImages(deps),
      imageStatus: imageStatus(deps),
      pullImage: pullImage(deps),
      removeImage: removeImage(deps),
      imageFsInfo: imageFsInfo(deps),
    },
    admin: {
      examine: examine(deps),
      diskUsage: diskUsage(deps),
      loadImages: loadImages(deps),
      listOperations: listOperations(deps),
      listPulls: listPulls(deps),
      verifyImages: verifyImages(deps),
    },
  };
}
