package main

import (
	"os"
	"path/filepath"
)

// node has the paths of a node's files, in a folder of its own.
type node struct {
	// conf is registries.conf.
	conf string
	// search is the drop-in file with the search registries.
	search string
	// missing is a path with nothing.
	missing string
}

// newNode makes the folders of a node.
func newNode(folder string) (node, error) {
	dropIns := filepath.Join(folder, "registries.conf.d")
	files := node{
		conf:    filepath.Join(folder, "registries.conf"),
		search:  filepath.Join(dropIns, "01-image-searchRegistries.conf"),
		missing: filepath.Join(folder, "missing"),
	}
	return files, os.Mkdir(dropIns, 0o700)
}

// write replaces both files; the drop-in file is removed if it has no text.
func (files node) write(conf, search []byte) error {
	if err := os.WriteFile(files.conf, conf, 0o600); err != nil {
		return err
	}
	if search != nil {
		return os.WriteFile(files.search, search, 0o600)
	}
	if err := os.Remove(files.search); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// dropIns is the folder of the drop-in files.
func (files node) dropIns() string {
	return filepath.Dir(files.search)
}
