package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// manifest says what run.ts has made. Its shape is that of manifest.ts; paths are relative to it.
type manifest struct {
	// Fixtures: nothing of trustplane is here, only what talosctl made.
	Fixtures     bool                  `json:"fixtures"`
	Bundles      []bundleArtifact      `json:"bundles"`
	Configs      []configArtifact      `json:"configs"`
	Talosconfigs []talosconfigArtifact `json:"talosconfigs"`
	Nodes        []nodeArtifact        `json:"nodes"`
	// Generated is the directory in which the `gen` helpers ran.
	Generated string `json:"generated"`
}

type bundleArtifact struct {
	Name string `json:"name"`
	File string `json:"file"`
	// KubernetesPKI is the directory that was imported, if one was.
	KubernetesPKI string `json:"kubernetesPki"`
	// ControlPlaneConfig is the machine configuration that it was made from, if it was.
	ControlPlaneConfig string `json:"controlPlaneConfig"`
	// ByTalos: talosctl wrote it, at a time that is gone.
	ByTalos bool `json:"byTalos"`
}

type configArtifact struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Type   string `json:"type"`
	Bundle string `json:"bundle"`
}

type talosconfigArtifact struct {
	Name   string   `json:"name"`
	File   string   `json:"file"`
	Bundle string   `json:"bundle"`
	Roles  []string `json:"roles"`
	// Endpoints and Nodes are what must stand in the context.
	Endpoints []string `json:"endpoints"`
	Nodes     []string `json:"nodes"`
	ByTalos   bool     `json:"byTalos"`
}

type nodeArtifact struct {
	Name        string `json:"name"`
	Config      string `json:"config"`
	PKI         string `json:"pki"`
	Talosconfig string `json:"talosconfig"`
	Address     string `json:"address"`
	// Hostname is empty where the node was left to find its own.
	Hostname string `json:"hostname"`
}

// readManifest reads the manifest and makes its paths absolute.
func readManifest(directory string) (*manifest, error) {
	text, err := os.ReadFile(filepath.Join(directory, "manifest.json"))
	if err != nil {
		return nil, err
	}

	m := &manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}

	absolute := func(paths ...*string) {
		for _, path := range paths {
			if *path != "" {
				*path = filepath.Join(directory, *path)
			}
		}
	}

	for i := range m.Bundles {
		absolute(&m.Bundles[i].File, &m.Bundles[i].KubernetesPKI, &m.Bundles[i].ControlPlaneConfig)
	}

	for i := range m.Configs {
		absolute(&m.Configs[i].File, &m.Configs[i].Bundle)
	}

	for i := range m.Talosconfigs {
		absolute(&m.Talosconfigs[i].File, &m.Talosconfigs[i].Bundle)
	}

	for i := range m.Nodes {
		absolute(&m.Nodes[i].Config, &m.Nodes[i].PKI, &m.Nodes[i].Talosconfig)
	}

	absolute(&m.Generated)

	return m, nil
}
