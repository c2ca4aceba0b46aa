#!/usr/bin/env node
import '../shim.js'
