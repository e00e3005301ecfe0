// Command machine-config-operator answers what the operator does with clusters: whether it renders registries.conf for
// them, and whether changing one into another drains nodes.
//
// It reads questions from standard input, one JSON object a line, and writes one answer a line, in the same order. The
// operator is that of release 4.14, the newest that can be imported as a module: its checks of formats are older than
// those of the releases after it.
package main

import (
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"os"
	_ "unsafe" // for go:linkname

	ignition "github.com/coreos/ignition/v2/config/v3_4/types"
	configv1 "github.com/openshift/api/config/v1"
	operatorv1alpha1 "github.com/openshift/api/operator/v1alpha1"
	_ "github.com/openshift/machine-config-operator/pkg/controller/container-runtime-config"
	_ "github.com/openshift/machine-config-operator/pkg/daemon"
	"k8s.io/klog/v2"

	"mirrorguard/oracle/objects"
)

// The operator does not export the functions that it decides with.

//go:linkname updateRegistriesConfig github.com/openshift/machine-config-operator/pkg/controller/container-runtime-config.updateRegistriesConfig
func updateRegistriesConfig(template []byte, insecure, blocked []string,
	icsp []*operatorv1alpha1.ImageContentSourcePolicy, idms []*configv1.ImageDigestMirrorSet,
	itms []*configv1.ImageTagMirrorSet) ([]byte, error)

//go:linkname isSafeContainerRegistryConfChanges github.com/openshift/machine-config-operator/pkg/daemon.isSafeContainerRegistryConfChanges
func isSafeContainerRegistryConfChanges(before, after ignition.Config) (bool, error)

// question is a list of clusters; the others are what the first may become or may have been.
type question struct {
	Clusters []objects.Cluster `json:"clusters"`
}

// answer has one file for each cluster, and one change for each cluster but the first.
type answer struct {
	Files   []file    `json:"files"`
	Changes []*change `json:"changes"`
}

// file is what is rendered for a cluster.
type file struct {
	// Error is why nothing is.
	Error string `json:"error,omitempty"`
	text  []byte
}

// change is from the first cluster to another and back; null if one of the two has no file.
type change struct {
	Drains     bool `json:"drains"`
	DrainsBack bool `json:"drainsBack"`
}

// template is what the operator starts from.
const template = `unqualified-search-registries = ["registry.access.redhat.com", "docker.io"]`

const path = "/etc/containers/registries.conf"

func main() {
	silenceLog()
	if err := objects.AnswerAll(os.Stdin, os.Stdout, answerOne); err != nil {
		fmt.Fprintln(os.Stderr, "machine-config-operator:", err)
		os.Exit(1)
	}
}

// silenceLog drops what the operator logs about each registry.
func silenceLog() {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "stderrthreshold": "FATAL"} {
		_ = flags.Set(name, value)
	}
	klog.SetOutput(io.Discard)
}

func answerOne(asked question) (answer, error) {
	var given answer
	for _, cluster := range asked.Clusters {
		given.Files = append(given.Files, render(cluster))
	}
	for _, other := range given.Files[1:] {
		change, err := changeBetween(given.Files[0], other)
		if err != nil {
			return answer{}, err
		}
		given.Changes = append(given.Changes, change)
	}
	return given, nil
}

func render(asked objects.Cluster) file {
	sets := asked.ByKind()
	text, err := updateRegistriesConfig([]byte(template), asked.InsecureRegistries, asked.BlockedRegistries,
		sets.ICSP, sets.IDMS, sets.ITMS)
	if err != nil {
		return file{Error: err.Error()}
	}
	return file{text: text}
}

func changeBetween(first, other file) (*change, error) {
	if first.Error != "" || other.Error != "" {
		return nil, nil
	}
	safe, err := isSafeContainerRegistryConfChanges(machine(first), machine(other))
	if err != nil {
		return nil, err
	}
	safeBack, err := isSafeContainerRegistryConfChanges(machine(other), machine(first))
	if err != nil {
		return nil, err
	}
	return &change{Drains: !safe, DrainsBack: !safeBack}, nil
}

// machine is the configuration of a machine that has only this file.
func machine(registries file) ignition.Config {
	source := "data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(registries.text)
	entry := ignition.File{Node: ignition.Node{Path: path}}
	entry.Contents.Source = &source
	return ignition.Config{
		Ignition: ignition.Ignition{Version: "3.4.0"},
		Storage:  ignition.Storage{Files: []ignition.File{entry}},
	}
}
