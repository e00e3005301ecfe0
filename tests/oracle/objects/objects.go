// Package objects reads random clusters as the objects that upstream code takes.
package objects

import (
	"encoding/json"
	"errors"
	"io"
	"sort"

	configv1 "github.com/openshift/api/config/v1"
	operatorv1alpha1 "github.com/openshift/api/operator/v1alpha1"
)

// Cluster is what the nodes' configuration is made of.
type Cluster struct {
	Sets []Set `json:"sets"`
	ImageConfig
	// Payload is the release image that the cluster runs.
	Payload string `json:"payload"`
}

// ImageConfig has the lists of the image configuration; one that is not set is nil.
type ImageConfig struct {
	InsecureRegistries []string `json:"insecureRegistries"`
	BlockedRegistries  []string `json:"blockedRegistries"`
	AllowedRegistries  []string `json:"allowedRegistries"`
	// SearchRegistries are for images whose name has no registry.
	SearchRegistries []string `json:"searchRegistries"`
}

// Spec is the image configuration as an object.
func (config ImageConfig) Spec() *configv1.ImageSpec {
	return &configv1.ImageSpec{RegistrySources: configv1.RegistrySources{
		InsecureRegistries:               config.InsecureRegistries,
		BlockedRegistries:                config.BlockedRegistries,
		AllowedRegistries:                config.AllowedRegistries,
		ContainerRuntimeSearchRegistries: config.SearchRegistries,
	}}
}

// Set is a mirror set of any kind.
type Set struct {
	Kind    string  `json:"kind"`
	Name    string  `json:"name"`
	Entries []Entry `json:"entries"`
}

// Entry is a source with its mirrors. An ImageContentSourcePolicy has no policy.
type Entry struct {
	Source             string                      `json:"source"`
	Mirrors            []string                    `json:"mirrors"`
	MirrorSourcePolicy configv1.MirrorSourcePolicy `json:"mirrorSourcePolicy"`
}

// Sets are the objects of a cluster by kind.
type Sets struct {
	ICSP []*operatorv1alpha1.ImageContentSourcePolicy
	IDMS []*configv1.ImageDigestMirrorSet
	ITMS []*configv1.ImageTagMirrorSet
}

// ByKind makes the objects, those of one kind in the order of their names.
func (cluster Cluster) ByKind() Sets {
	sorted := append([]Set(nil), cluster.Sets...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	var sets Sets
	for _, set := range sorted {
		switch set.Kind {
		case "ImageContentSourcePolicy":
			sets.ICSP = append(sets.ICSP, set.icsp())
		case "ImageDigestMirrorSet":
			sets.IDMS = append(sets.IDMS, set.idms())
		case "ImageTagMirrorSet":
			sets.ITMS = append(sets.ITMS, set.itms())
		}
	}
	return sets
}

func (set Set) icsp() *operatorv1alpha1.ImageContentSourcePolicy {
	object := &operatorv1alpha1.ImageContentSourcePolicy{}
	for _, entry := range set.Entries {
		object.Spec.RepositoryDigestMirrors = append(object.Spec.RepositoryDigestMirrors,
			operatorv1alpha1.RepositoryDigestMirrors{Source: entry.Source, Mirrors: entry.Mirrors})
	}
	return object
}

func (set Set) idms() *configv1.ImageDigestMirrorSet {
	object := &configv1.ImageDigestMirrorSet{}
	for _, entry := range set.Entries {
		object.Spec.ImageDigestMirrors = append(object.Spec.ImageDigestMirrors, configv1.ImageDigestMirrors{
			Source:             entry.Source,
			Mirrors:            entry.imageMirrors(),
			MirrorSourcePolicy: entry.MirrorSourcePolicy,
		})
	}
	return object
}

func (set Set) itms() *configv1.ImageTagMirrorSet {
	object := &configv1.ImageTagMirrorSet{}
	for _, entry := range set.Entries {
		object.Spec.ImageTagMirrors = append(object.Spec.ImageTagMirrors, configv1.ImageTagMirrors{
			Source:             entry.Source,
			Mirrors:            entry.imageMirrors(),
			MirrorSourcePolicy: entry.MirrorSourcePolicy,
		})
	}
	return object
}

func (entry Entry) imageMirrors() []configv1.ImageMirror {
	var mirrors []configv1.ImageMirror
	for _, mirror := range entry.Mirrors {
		mirrors = append(mirrors, configv1.ImageMirror(mirror))
	}
	return mirrors
}

// AnswerAll reads questions, one JSON object a line, and writes one answer a line, in the same order.
func AnswerAll[Question, Answer any](in io.Reader, out io.Writer, answer func(Question) (Answer, error)) error {
	questions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var asked Question
		if err := questions.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		given, err := answer(asked)
		if err != nil {
			return err
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}
