package interop

import "testing"

// Nodes: every leaf that a running node has written is read back from its PKI directory. Each aspect of
// each profile is a test of its own: `TestNodes/<node>/<profile>/<aspect>`.

func TestNodes(t *testing.T) {
	made, _ := artifacts(t)
	onlyOurs(t, made, len(made.Nodes) > 0, "node")

	for _, artifact := range made.Nodes {
		t.Run(artifact.Name, func(t *testing.T) {
			f, err := nodeFacts(artifact.PKI, artifact.Config, artifact.Hostname, artifact.Address)
			if err != nil {
				t.Fatal(err)
			}

			for _, p := range profiles {
				for _, a := range aspects {
					t.Run(p.id+"/"+a.name, func(t *testing.T) { report(t, a.examine(artifact.PKI, f, p)) })
				}
			}

			t.Run("roots are those of the configuration", func(t *testing.T) { report(t, checkRoots(artifact.PKI, f)) })
			t.Run("private files are private", func(t *testing.T) { report(t, checkTree(artifact.PKI)) })
		})
	}
}
