/** Tells in Talos' kinds whether the files of etcd and of the static pods are in place. */
import { FileSet, PKIStatus, SecretsStatus } from "#resources";
import { defineController, exclusive, maybe, type Resource, type SpecOf } from "#runtime";
import { fileSetId } from "../file-layout.ts";

export const fileStatusController = () =>
  defineController({
    name: "files.StatusController",
    inputs: {
      kubeconfigs: maybe(FileSet, fileSetId("kubernetes")),
      kubernetes: maybe(FileSet, fileSetId("kubernetes/pki")),
      etcd: maybe(FileSet, fileSetId("kubernetes/pki/etcd")),
    },
    outputs: { pods: exclusive(SecretsStatus), etcd: exclusive(PKIStatus) },

    reconcile({ inputs }) {
      return {
        outputs: {
          pods: { "static-pods": sumOf([inputs.kubeconfigs, inputs.kubernetes]) },
          etcd: { etcd: sumOf([inputs.etcd]) },
        },
      };
    },
  });

const sumOf = (sets: readonly (Resource<SpecOf<typeof FileSet>> | null)[]) => ({
  ready: sets.every((set) => set?.spec.ready === true),
  version: sets.map((set) => set?.spec.version.slice(0, 12) ?? "").join("-"),
});
