// Command machine-config-operator answers what the operator does with clusters: which files it writes for them, which
// blocked registries it drops because of the payload, and whether changing one cluster into another drains nodes.
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
	"regexp"
	_ "unsafe" // for go:linkname

	"github.com/containers/image/v5/pkg/sysregistriesv2"
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

//go:linkname getValidBlockedAndAllowedRegistries github.com/openshift/machine-config-operator/pkg/controller/container-runtime-config.getValidBlockedAndAllowedRegistries
func getValidBlockedAndAllowedRegistries(releaseImage string, spec *configv1.ImageSpec,
	icsp []*operatorv1alpha1.ImageContentSourcePolicy, idms []*configv1.ImageDigestMirrorSet) (
	blocked, rejected, allowed []string, err error)

//go:linkname updatePolicyJSON github.com/openshift/machine-config-operator/pkg/controller/container-runtime-config.updatePolicyJSON
func updatePolicyJSON(template []byte, rejected, allowed []string, releaseImage string) ([]byte, error)

//go:linkname updateSearchRegistriesConfig github.com/openshift/machine-config-operator/pkg/controller/container-runtime-config.updateSearchRegistriesConfig
func updateSearchRegistriesConfig(searched []string) []generatedFile

//go:linkname errParsingReference github.com/openshift/machine-config-operator/pkg/controller/container-runtime-config.errParsingReference
var errParsingReference error

// generatedFile is laid out as the operator's generatedConfigFile.
type generatedFile struct {
	path string
	data []byte
}

//go:linkname isSafeContainerRegistryConfChanges github.com/openshift/machine-config-operator/pkg/daemon.isSafeContainerRegistryConfChanges
func isSafeContainerRegistryConfChanges(before, after ignition.Config) (bool, error)

// question is a list of clusters; the others are what the first may become or may have been.
type question struct {
	Clusters []objects.Cluster `json:"clusters"`
}

// answer has one item for each cluster, the files of the first one, and one change for each cluster but the first.
type answer struct {
	Files   []file    `json:"files"`
	Written *written  `json:"written"`
	Changes []*change `json:"changes"`
}

// file is what is rendered for a cluster.
type file struct {
	// Error is why nothing is.
	Error string `json:"error,omitempty"`
	// Lost is why registries of the image configuration do not reach the nodes; the operator only logs it.
	Lost    string `json:"lost,omitempty"`
	written written
}

// written has the files of a cluster; one that stays as it is in the template is not there.
type written struct {
	RegistriesConf       string  `json:"registriesConf,omitempty"`
	Policy               *policy `json:"policy,omitempty"`
	SearchRegistriesConf string  `json:"searchRegistriesConf,omitempty"`
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
	if first := given.Files[0]; first.Error == "" {
		given.Written = &first.written
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

// render makes the files of a cluster. The operator stops with a panic where it does not expect a cluster.
func render(asked objects.Cluster) (rendered file) {
	defer func() {
		if reason := recover(); reason != nil {
			rendered = file{Error: fmt.Sprint(reason)}
		}
	}()
	// The operator's temporary files have random names, and containers/image remembers a file by its name.
	sysregistriesv2.InvalidateCache()
	sets := asked.ByKind()
	blocked, rejected, allowed, err := getValidBlockedAndAllowedRegistries(asked.Payload, asked.Spec(), sets.ICSP, sets.IDMS)
	if err == errParsingReference {
		return file{Error: err.Error()}
	}
	if err != nil {
		rendered.Lost = temporaryFile.ReplaceAllString(err.Error(), "")
	}
	if err := rendered.written.fill(asked, sets, blocked, rejected, allowed); err != nil {
		rendered.Error = err.Error()
	}
	return rendered
}

// temporaryFile is what containers/image puts before an error about the temporary file of the operator.
var temporaryFile = regexp.MustCompile(`^.*"[^"]*/regtemp[0-9]+": `)

// fill writes the files that the operator writes. A list that is nil is not set.
func (files *written) fill(asked objects.Cluster, sets objects.Sets, blocked, rejected, allowed []string) error {
	if asked.InsecureRegistries != nil || blocked != nil || len(asked.Sets) > 0 {
		text, err := updateRegistriesConfig([]byte(template), asked.InsecureRegistries, blocked, sets.ICSP, sets.IDMS, sets.ITMS)
		if err != nil {
			return err
		}
		files.RegistriesConf = string(text)
	}
	if rejected != nil || allowed != nil {
		text, err := updatePolicyJSON([]byte(policyTemplate), rejected, allowed, asked.Payload)
		if err != nil {
			return err
		}
		if files.Policy, err = readPolicy(text); err != nil {
			return err
		}
	}
	if asked.SearchRegistries != nil {
		for _, generated := range updateSearchRegistriesConfig(asked.SearchRegistries) {
			files.SearchRegistriesConf += string(generated.data)
		}
	}
	return nil
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

// registries is the text on the nodes: that of the template where none is written.
func (files written) registries() []byte {
	if files.RegistriesConf == "" {
		return []byte(template)
	}
	return []byte(files.RegistriesConf)
}

// machine is the configuration of a machine that has only this file.
func machine(registries file) ignition.Config {
	source := "data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(registries.written.registries())
	entry := ignition.File{Node: ignition.Node{Path: path}}
	entry.Contents.Source = &source
	return ignition.Config{
		Ignition: ignition.Ignition{Version: "3.4.0"},
		Storage:  ignition.Storage{Files: []ignition.File{entry}},
	}
}
