"""A recorded drive in real time: published at its own pace, through the node, and recorded."""
